/**
 * The bench in small, as a check of values and never of speed: Lakeward in each of its forms, and DuckDB, over a few
 * thousand records. LAKEWARD_THOROUGH=1: the rivals of Python as well.
 */
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { builtCommand } from '../built.ts'
import { orSkip } from '../components.ts'
import { describeWithTemporal } from '../temporal.ts'
import { Checker } from './check.ts'
import type { ContestantName, Heat } from './contestants.ts'
import { localCsv, localLines, makeData } from './data.ts'
import { dltPython, pyarrowPython, vendorBinary } from './programs.ts'
import { Field } from './rounds.ts'
import { openStage } from './stage.ts'
import type { Stage } from './stage.ts'

const ROWS = 2_000
const thorough = process.env['LAKEWARD_THOROUGH'] === '1'
const silent = (): void => {}
const vendor = await orSkip(vendorBinary(silent), 'the bench in small')

describeWithTemporal('a contestant', ({ address, namespace }) => {
  let stage: Stage
  let checker: Checker
  let field: Field
  beforeAll(async () => {
    if (vendor === null) return
    const built = dirname(dirname(await builtCommand()))
    const data = await makeData(ROWS, silent)
    stage = await openStage({ data: data.folder, vendor, built, temporal: { address, namespace, pid: 0 }, log: silent })
    checker = await Checker.open()
    const programs = {
      node: process.execPath,
      built,
      pyarrow: thorough ? await pyarrowPython() : null,
      dlt: thorough ? await dltPython() : null,
      data: {
        index: join(data.folder, 'index.bin'),
        json: data.jsonPath,
        csv: (rows: number) => localCsv(data, rows),
        ndjson: (rows: number) => localLines(data, rows),
      },
    }
    field = new Field({ stage, checker, programs, log: silent })
  })
  afterAll(async () => {
    await field?.close()
    checker?.close()
    await stage?.close()
  })

  const csv: Heat = { form: 'csv', gzip: false, rows: ROWS }
  const json: Heat = { form: 'json', gzip: false, rows: ROWS }
  const zipped = { ...json, gzip: true }
  const cases: [ContestantName, Heat][] = [
    ['temporal', csv],
    ['temporal', json],
    ['plane', csv],
    ['plane', zipped],
    ['core', csv],
    ['core', json],
    ['duck1', csv],
    ['duck1', json],
    ...(thorough
      ? ([
          ['temporal', zipped],
          ['plane', json],
          ['pyarrow', csv],
          ['pyarrow', zipped],
          ['dlt', json],
        ] as [ContestantName, Heat][])
      : []),
  ]

  it.skipIf(vendor === null).each(cases)('writes every value: %s, %j', async (name, heat) => {
    expect(await field.once(name, heat, 0)).toMatchObject({ contestant: name, rows: ROWS })
  })
})
