/**
 * A lane from files to a lake by the real steps, one after the other as the workflow asks for them, dying between any
 * two of them: each row once, and new files only.
 */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { commitRun } from '../../activities/commit-run.ts'
import { describeObject } from '../../activities/describe-object.ts'
import type { CommitDigest, LaneTask } from '../../activities/digests.ts'
import { extractUnit } from '../../activities/extract-unit.ts'
import { openLane } from '../../activities/open-lane.ts'
import type { JsonObject } from '../../connectors/connector.ts'
import { assemble } from '../../worker/assemble.ts'
import { queryFiles } from '../e2e/compare.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lakeward-file-lane-'))
  const connections = { inbox: { connector: 'file', path: './in' }, lake: { connector: 'file', path: './lake' } }
  writeFileSync(join(root, 'lakeward.yaml'), stringify({ version: 1, connections }))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function put(name: string, text: string): void {
  mkdirSync(join(root, 'in/orders'), { recursive: true })
  writeFileSync(join(root, 'in/orders', name), text)
  utimesSync(join(root, 'in/orders', name), 1_700_000_000, 1_700_000_000)
}

const flow: JsonObject = {
  version: 1,
  name: 'orders',
  source: {
    connection: 'inbox',
    format: 'csv',
    objects: [{ object: 'orders/*.csv', id: 'orders', into: 'orders', schema: { id: 'int64', name: 'string' } }],
  },
  // A unit ends once its file has a megabyte.
  destination: { connection: 'lake', fileSize: '1MB', format: 'csv' },
}

class Died extends Error {}

let runs = 0
/** One run; `dies`: before which step, counted from 0, its workflow and worker die. */
async function run(dies = Number.POSITIVE_INFINITY): Promise<CommitDigest> {
  const deps = assemble({ installation: join(root, 'lakeward.yaml') })
  const lane = { namespaceId: 'n', namespace: 'n', flow: 'orders', object: 'orders' }
  const workflowId = 'flow/orders/orders'
  const task: LaneTask = {
    version: 1,
    lane,
    workflowId,
    taskQueue: 'q',
    flow,
    nominalMs: null,
    attributes: {},
    heartbeatSeconds: 45,
  }
  const id = `w${String(++runs).padStart(7, '0')}`
  const ref = { key: `00000000${runs.toString(36)}-${id}-0`, startedMs: runs, workflowId, firstRunId: id }
  let steps = 0
  const step = async <In, Out>(
    work: (deps: Parameters<typeof openLane>[0]) => (input: In) => Promise<Out>,
    input: In,
  ): Promise<Out> => {
    if (steps++ >= dies) throw new Died()
    const info = { activityId: `${runs}-${steps}` }
    return new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') }).run(work(deps), input)
  }
  const open = await step(openLane, { task, run: ref })
  const { planHash, ranges } = await step(describeObject, { task, open })
  const units: Record<string, string> = {}
  for (const range of ranges) {
    let [seq, previous, end] = [1, null as string | null, false]
    while (!end) {
      const unit = await step(extractUnit, { task, run: ref, planHash, range, seq, previous })
      ;[seq, previous, end] = [seq + 1, unit.unit, unit.end]
      units[range] = unit.unit
    }
  }
  const done = await step(commitRun, { task, run: ref, planHash, units, n: open.n })
  return done
}

const LINES = 40_000
const csv = (from: number, count: number): string =>
  `id,name\n${Array.from({ length: count }, (_, i) => `${from + i},"a name, and more of it ""${from + i}"""\n`).join('')}`
const delivered = async () => {
  const sql = `SELECT count(*)::INT AS n, count(DISTINCT id)::INT AS ids, count(*) FILTER (name LIKE '%"' || id || '"')::INT AS named FROM files`
  return (await queryFiles(join(root, 'lake/orders'), sql, 'csv'))[0]
}
const all = (n: number) => ({ n, ids: n, named: n })

describe('a lane of files', () => {
  it('delivers each row once and new files only, whichever step its worker dies at', async () => {
    put('1.csv', csv(0, LINES))
    put('2.csv', csv(LINES, LINES))
    // Open, plan, units of two ranges, commit; then what is left over.
    for (const dies of [1, 2, 3, 5]) await expect(run(dies)).rejects.toThrow(Died)
    const first = await run()
    expect(first).toMatchObject({ counts: { read: 2 * LINES, written: 2 * LINES } })
    expect(first.files).toBeGreaterThan(2)
    expect(await delivered()).toEqual(all(2 * LINES))

    put('0.csv', `${csv(2 * LINES, 10)}not a number,x\ntoo few\n`)
    await expect(run(3)).rejects.toThrow(Died)
    expect((await run()).counts).toMatchObject({ read: 12, written: 10, quarantined: 2 })
    expect(await run()).toMatchObject({ n: null, counts: { read: 0 } })
    expect(await delivered()).toEqual(all(2 * LINES + 10))
  })

  it('keeps the files of thousands of deliveries in mind, beside the ledger where they are too many for an entry', async () => {
    for (let i = 0; i < 4200; i++) put(`${i}.csv`, `id,name\n${i},"${i}"\n`)
    expect((await run()).counts).toMatchObject({ read: 4200 })
    put('x.csv', 'id,name\n4200,"x"\n')
    expect((await run()).counts).toMatchObject({ read: 1 })
    expect(await run()).toMatchObject({ n: null, counts: { read: 0 } })
  })
})
