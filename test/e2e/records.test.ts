/** Files into records of a Salesforce sandbox: what is refused is known and goes again, what is killed doubles none. */
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { describeWithTemporal } from '../temporal.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

type Cells = Record<string, string | number | null>

describeWithTemporal('records out', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 20, opportunities: 1, contacts: 1 }, lake: 'file' })
    stage.sandbox.control.ingest({ polls: 0 })
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, object> }
    installation.connections['inbox'] = { connector: 'file', path: './in', taskQueue: stage.queue }
    writeFileSync(path, stringify(installation))
    await stage.startWorker()
  })
  afterEach(() => stage.sandbox.control.clearFaults())
  afterAll(() => stage?.stop())

  /** A file of CSV with these records. */
  const put = (folder: string, name: string, rows: Cells[]): void => {
    const path = join(stage.directory, 'in', folder, name)
    mkdirSync(join(path, '..'), { recursive: true })
    const cell = (value: Cells[string]): string => (value === null ? '' : `"${String(value).replaceAll('"', '""')}"`)
    const header = Object.keys(rows[0]!)
    const lines = [header, ...rows.map((row) => header.map((field) => cell(row[field]!)))]
    writeFileSync(path, lines.map((cells) => `${cells.join(',')}\n`).join(''))
    utimesSync(path, 1_700_000_000, 1_700_000_000)
  }
  const flow = (
    name: string,
    schema: Record<string, string>,
    of: { object?: object; destination?: object; more?: object },
  ) =>
    stage.flow(
      JSON.stringify({
        name,
        source: {
          connection: 'inbox',
          format: 'csv',
          objects: [{ object: `${name}/*.csv`, id: name, into: 'Account', schema, ...of.object }],
        },
        destination: { connection: stage.crm, write: 'upsert', ...of.destination },
        ...of.more,
      }),
    )
  const written = (prefix: string) =>
    [...stage.sandbox.control.truth('Account')].filter(({ External_Key__c: key }) => key?.startsWith(prefix))
  const quarantined = (name: string): { reason: string; attempt: number; record: Cells }[] => {
    const folder = join(stage.directory, '.lakeward/state/lake/_lakeward/_quarantine', name)
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
    return files.flatMap((file) =>
      readFileSync(join(file.parentPath, file.name), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as never),
    )
  }
  const SCHEMA = { External_Key__c: 'string', Name: 'string', Contract_Value__c: 'decimal(18,2)', Phone: 'string' }
  const rowsOf = (prefix: string, count: number): Cells[] =>
    Array.from({ length: count }, (_, at) => ({
      External_Key__c: `${prefix}-${at}`,
      Name: `Näme "${at}"`,
      Contract_Value__c: `${at}.25`,
      Phone: at % 3 ? `+${at}` : null,
    }))

  it.each(['rest', 'bulk'])(
    'records by %s: written as they are, and what is refused lies in quarantine',
    async (api) => {
      const rows = rowsOf(api, 60)
      rows[7]!['Name'] = null
      rows[8]!['Phone'] = '1'.repeat(50)
      put(api, '1.csv', rows)
      const loading = flow(api, SCHEMA, { object: { keys: ['External_Key__c'] }, destination: { options: { api } } })
      const first = await stage.run(loading)
      expect(first.objects[0]).toMatchObject({ read: 60, delivered: { inserted: 58, updated: 0, rejected: 2 } })
      expect(first.objects[0]!.notes.join('\n')).toMatch(
        /2 of 60 records.*REQUIRED_FIELD_MISSING \(1\).*STRING_TOO_LONG \(1\)/,
      )
      expect(written(`${api}-`)).toHaveLength(58)
      for (const record of written(`${api}-`)) {
        const at = Number(record['External_Key__c']!.slice(api.length + 1))
        expect(record).toMatchObject(rows[at]!)
      }
      expect(quarantined(loading.name)).toMatchObject([
        {
          by: 'destination',
          rule: 'refused',
          attempt: 1,
          object: api,
          record: { External_Key__c: `${api}-7`, Name: null },
        },
        { by: 'destination', rule: 'refused', reason: expect.stringMatching(/^STRING_TOO_LONG/) },
      ])
      put(
        api,
        '2.csv',
        rows.slice(0, 5).map((row) => ({ ...row, Name: 'again' })),
      )
      expect((await stage.run(loading)).objects[0]).toMatchObject({
        delivered: { inserted: 0, updated: 5, rejected: 0 },
      })
      expect(written(`${api}-`)).toHaveLength(58)
      expect((await stage.run(loading)).objects[0]).toMatchObject({ status: 'nothing' })
    },
  )
})
