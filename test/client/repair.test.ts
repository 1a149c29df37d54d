/** `lakeward repair` as it is typed, over a directory lake; what each damage needs is tested in test/lake. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { laneKeys } from '../../connectors/lake/keys.ts'
import { LaneWorkflow } from '../lake/lane-workflow.ts'
import { describeWithTemporal } from '../temporal.ts'
import { flowOf, freshName } from './stand-in/flows.ts'
import { recorded } from './stand-in/recorder.ts'

describeWithTemporal('repair', ({ address, namespace }) => {
  const folder = mkdtempSync(join(tmpdir(), 'lakeward-repair-'))
  const lake = join(folder, 'lake')
  const flow = freshName('numbers')
  const path = join(folder, `${flow}.yaml`)
  const keys = laneKeys({ flow, object: 'Integers' })
  const entry = join(lake, keys.entry(2))
  const repair = (...args: string[]) =>
    recorded('repair', '--address', address, '--config', join(folder, 'lakeward.yaml'), ...args)
  let connection: Connection

  beforeAll(async () => {
    connection = await Connection.connect({ address })
    writeFileSync(
      join(folder, 'lakeward.yaml'),
      stringify({ version: 1, connections: { lake: { connector: 'file', path: './lake' } } }),
    )
    writeFileSync(
      path,
      stringify(flowOf(flow, { taskQueue: flow, source: { connection: 'crm', objects: ['Integers'] } })),
    )
    await recorded('apply', path, '--address', address)
    const lane = { namespaceId: 'uuid', namespace, flow, object: 'Integers' }
    for (const start of [1, 2, 3]) {
      await new LaneWorkflow({ place: () => fileStore(lake), work: { clock: start * 10 }, start, lane }).sync()
    }
  })
  afterAll(async () => {
    await recorded('delete', flow, '--address', address)
    await connection.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each<[string, string[], number, RegExp, RegExp]>([
    [
      'a flow that is not there',
      ['no-such-flow', 'Integers'],
      2,
      /there is no flow of this name/,
      /lakeward list|Did you/,
    ],
    [
      'an object without a ledger',
      [flow, 'Integer'],
      2,
      /no ledger for object Integer, did you mean 'Integers'/,
      /Objects of/,
    ],
    ['a void of no number', [flow, 'Integers', '--void', 'x'], 2, /--void: "x" is no number/, /whole number/],
    [
      'a void of no entry',
      [flow, 'Integers', '--void', '9'],
      2,
      /--void 9: there is no entry 9/,
      /highest number .* is 3/,
    ],
    [
      'a void of what is done',
      [flow, 'Integers', '--void', '2'],
      2,
      /entry 2 is decided: done/,
      /What is decided stays/,
    ],
    ['an installation that is not there', [flow, 'Integers', '--config', '/nowhere.yaml'], 2, /nowhere\.yaml/, /./],
  ])('%s', async (_, args, code, what, advice) => {
    const told = await repair(...args)
    expect(told.said).toMatch(what)
    expect(told.said).toMatch(advice)
    expect(told.said).not.toMatch(/\n\s+at /)
    expect([told.code, told.out]).toEqual([code, ''])
  })

  test('a whole ledger is said to be whole, by the name of the flow and by its file', async () => {
    for (const target of [flow, path]) {
      expect(await repair(target, 'Integers')).toEqual({
        code: 0,
        out: '',
        said: 'the ledger of Integers is whole: 3 entries',
      })
    }
  })

  test('damage is shown and asked about; with a yes it is mended, and the lane is whole', async () => {
    writeFileSync(entry, 'overwritten')
    const shown = await repair(flow, 'Integers')
    expect(shown.code, 'nobody can be asked').toBe(2)
    expect(shown.out).toMatch(
      /00000002\.json\n {2}wrong: an entry is not readable as JSON\n {2}Number 2 is closed by a fence/,
    )
    expect(shown.out).toContain(
      `lakeward run ${flow} --objects Integers --from 2024-01-01T00:00:10.000Z --to 2024-01-01T00:00:20`,
    )
    expect(shown.said).toContain('--yes')
    expect(readFileSync(entry, 'utf8'), 'nothing was changed').toBe('overwritten')

    const client = new Client({ connection, namespace })
    const workflowId = `flow/${flow}/Integers`
    await client.workflow.start('syncObject', { workflowId, taskQueue: flow, args: [] })
    const held = await repair(flow, 'Integers', '--yes')
    expect(held).toMatchObject({ code: 1, said: expect.stringContaining('is being read by another run') })
    await client.workflow.getHandle(workflowId).terminate()

    const mended = await repair(flow, 'Integers', '--yes')
    expect(mended.code).toBe(0)
    expect(mended.said).toMatch(
      /Number 2 is closed by a fence; copied before: .*\nthe ledger of Integers is whole: 3 entries$/,
    )
    expect(JSON.parse(readFileSync(entry, 'utf8'))).toMatchObject({ kind: 'fence', n: 2 })
  })

  test('what it cannot mend is told, and exits with 1', async () => {
    writeFileSync(join(lake, keys.outcome(3)), '{"version":2}')
    const { code, out } = await repair(flow, 'Integers', '--yes', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      mended: [],
      left: [{ mend: null, means: [expect.stringContaining('newer')] }],
    })
  })
})
