/** The commit as a step: what it waits for at the source, and what it no longer asks of it. */
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { expect, it } from 'vitest'
import { commitRun } from '../../activities/commit-run.ts'
import type { Deps } from '../../activities/deps.ts'
import type { CommitInput } from '../../activities/digests.ts'
import type { ErrorKind } from '../../connectors/connector.ts'
import { ConnectorError } from '../../connectors/errors.ts'
import { openLane } from '../../connectors/lake/open.ts'
import { planHash } from '../../connectors/lake/plans.ts'
import { extractIntegers, planIntegers } from '../lake/integers.ts'
import { LANE } from '../lake/lane-workflow.ts'
import { inMemory } from '../lake/places.ts'
import { laneAt } from '../lake/scenes.ts'

/** A run that has staged all of 20 integers, and the step that commits it, against a source that answers so. */
async function staged() {
  const place = inMemory()
  const at = laneAt(place, LANE)
  const run = { key: '000000001-w1000000-0', startedMs: 1, workflowId: 'flow/numbers/w1', firstRunId: 'w1000000' }
  const plan = await planIntegers(at, run, await openLane(at, run), { clock: 20, ranges: 1 })
  const unit = await extractIntegers(at, plan, { range: 'r0', seq: 1, previous: null }, 100)
  const input = {
    task: { lane: LANE, flow: flow() },
    run,
    planHash: planHash(plan),
    units: { r0: unit.id },
    n: plan.n,
  } as unknown as CommitInput
  let asked = 0
  const commit = (count: () => number, { attempt = 1, identity = 'N' } = {}) => {
    const source = { count: async () => (asked++, count()) }
    const deps = {
      installation: async () => ({ connections: { lake: { name: 'lake', connector: 'file' } } }),
      lake: async () => place.store(),
      connect: async () => ({ connector: { name: 'integers', identity: async () => identity, source }, session: {} }),
    } as unknown as Deps
    return new MockActivityEnvironment({ attempt, activityId: 'commit' }, { logger: new DefaultLogger('ERROR') }).run(
      commitRun(deps),
      input,
    )
  }
  return { commit, asked: () => asked }
}

function flow() {
  const source = { connection: 'numbers', objects: ['Integers'] }
  return { version: 1, name: 'numbers', source, destination: { connection: 'lake', format: 'jsonl' } }
}

function refusing(kind: ErrorKind, waitMs?: number) {
  const about = { connector: 'integers', doing: 'count', kind, reason: 'not now' }
  return (): never => {
    throw new ConnectorError({ ...about, ...(waitMs === undefined ? {} : { waitMs }) })
  }
}

it('a source that counts proves what was read', async () => {
  const { commit } = await staged()
  expect(await commit(() => 20)).toMatchObject({ n: 1, proof: 'proven: 20 now ≤ 20 read ≤ 20 when planned' })
})

it('a quota that is used up does not keep a commit waiting', async () => {
  const { commit } = await staged()
  const proof = '20 read; not proven, the source would not count again: [integers] count failed: not now'
  expect(await commit(refusing('quota'))).toMatchObject({ n: 1, proof })
})

it('a busy source is asked again, but not for ever', async () => {
  const { commit } = await staged()
  await expect(commit(refusing('throttled', 5_000))).rejects.toMatchObject({ type: 'Throttled', nonRetryable: false })
  expect(await commit(refusing('throttled', 5_000), { attempt: 4 })).toMatchObject({ n: 1 })
  expect(await (await staged()).commit(refusing('throttled', 600_000))).toMatchObject({ n: 1 })
})

it('a login that is refused is no wait', async () => {
  await expect((await staged()).commit(refusing('auth'))).rejects.toMatchObject({ type: 'ConnectionUnauthorized' })
})

it('what is committed asks nothing of the source any more, wherever the connection leads by now', async () => {
  const { commit, asked } = await staged()
  const first = await commit(() => 20)
  expect(await commit(refusing('auth'), { attempt: 2, identity: 'another org' })).toEqual(first)
  expect(asked()).toBe(1)
})
