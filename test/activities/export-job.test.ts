/** An export as the core drives it: begun once, waited for without a slot, its ranges kept, what it made removed. */
import { expect, it } from 'vitest'
import type { Connected, Deps } from '../../activities/deps.ts'
import { exported, withExports } from '../../activities/export-job.ts'
import type { StepContext } from '../../activities/step.ts'
import type { Job, Json, Plan, Range } from '../../connectors/connector.ts'
import { ConnectorError } from '../../connectors/errors.ts'
import { cancelRun } from '../../connectors/lake/cancel.ts'
import { commitRun } from '../../connectors/lake/commit.ts'
import { finishRun } from '../../connectors/lake/finish.ts'
import { openLane } from '../../connectors/lake/open.ts'
import { planHash, plannedRun, readPlan, resumePlan, writePlan } from '../../connectors/lake/plans.ts'
import type { RunPlan } from '../../connectors/lake/protocol.ts'
import { extractIntegers, planIntegers } from '../lake/integers.ts'
import { LANE } from '../lake/lane-workflow.ts'
import { inMemory } from '../lake/places.ts'
import { laneAt } from '../lake/scenes.ts'

const runOf = (start: number) => ({
  key: `00000000${start}-w${start}000000-0`,
  startedMs: start,
  workflowId: 'flow/numbers/w1',
  firstRunId: `w${start}000000`,
})
const RANGES: Range[] = [
  { id: 'f0', spec: 0 },
  { id: 'f1', spec: 1 },
]

/** A run whose plan has a job, of a vendor that keeps what it was asked. */
async function scene(state: () => Awaited<ReturnType<Job<Plan, Range[]>['poll']>>) {
  const place = inMemory()
  const at = laneAt(place, LANE)
  const said: string[] = []
  let found: Json = null
  const problem: { of?: Error; loseAnswer?: boolean; identity?: string } = {}
  const job: Job<Plan, Range[]> = {
    find: async (_session, _plan, token) => (said.push(`find ${token.slice(-3)}`), found),
    async submit() {
      said.push('submit')
      found = 'J1'
      if (problem.loseAnswer) throw new Error('the process died')
      return found
    },
    poll: async (_session, ref) => (said.push(`poll ${ref as string}`), state()),
    async cancel(_session, ref) {
      said.push(`cancel ${ref as string}`)
      if (problem.of) throw problem.of
    },
  }
  const connector = { name: 'numbers', identity: async () => problem.identity ?? 'N', source: { job } }
  const end = { connector, session: {} } as unknown as Connected
  const notes = new Set<string>()
  const context = { beat: () => {}, notes, calls: { made: 0 }, signal: new AbortController().signal }
  const deps = { connect: async () => end } as unknown as Deps
  const planned = async (start: number): Promise<RunPlan> => {
    const run = runOf(start)
    const plan = await planIntegers(laneAt(inMemory(), LANE), run, await openLane(at, run), { clock: 20, ranges: 1 })
    return writePlan(at, { ...plan, plan: { ...plan.plan, job: true, ranges: [] } })
  }
  const step = context as unknown as StepContext
  const attempt = async (plan: RunPlan): Promise<RunPlan> => exported(at, plan, end, step)
  return { at, place, said, problem, notes, planned, attempt, dropping: withExports(deps, at, step) }
}

it('is begun once, whatever is lost, and asked until it is ready; the plan then has its ranges for ever', async () => {
  let state: Awaited<ReturnType<Job<Plan, Range[]>['poll']>> = { waitMs: 40_000 }
  const { at, said, problem, planned, attempt } = await scene(() => state)
  const plan = await planned(1)
  problem.loseAnswer = true
  await expect(attempt(plan)).rejects.toThrow('the process died')
  await expect(attempt(plan)).rejects.toMatchObject({ type: 'Waiting', nextRetryDelay: 40_000 })
  await expect(attempt(plan)).rejects.toMatchObject({ type: 'Waiting' })
  state = { ready: RANGES }
  const ready = await attempt(plan)
  expect(ready.plan.ranges).toEqual(RANGES)
  expect(said).toEqual(['find 0-0', 'submit', 'find 0-0', 'poll J1', 'poll J1', 'poll J1'])
  // Whoever comes later reads the same plan, and asks nobody.
  expect(await plannedRun(at, plan.run, planHash(ready))).toEqual(ready)
  expect(await attempt((await readPlan(at, plan.run))!)).toEqual(ready)
  expect(said).toHaveLength(6)
})

it('that is refused is planned again without', async () => {
  const { planned, attempt } = await scene(() => ({ refused: 'not in bulk' }))
  await expect(attempt(await planned(1))).rejects.toMatchObject({ type: 'ExportRefused', nonRetryable: true })
})

it.each(['cancelled', 'found dead by the next open'])('goes before the plan of a run that is %s', async (how) => {
  const { at, place, said, planned, attempt, dropping } = await scene(() => ({ ready: RANGES }))
  const plan = await planned(1)
  await attempt(plan)
  said.length = 0
  if (how === 'cancelled') await cancelRun(dropping, runOf(1), 1)
  else await openLane(dropping, runOf(2))
  expect(said).toEqual(['cancel J1'])
  expect(await readPlan(at, plan.run)).toBeNull()
  const left: string[] = []
  for await (const { key } of place.store().list('_lakeward/')) if (key.includes('/plans/')) left.push(key)
  expect(left).toEqual([])
})

it('that was submitted and not remembered is found and removed; one that never was leaves nobody to ask', async () => {
  const { said, problem, planned, attempt, dropping } = await scene(() => ({ waitMs: 1 }))
  await planned(1)
  await cancelRun(dropping, runOf(1), 1)
  expect(said).toEqual(['find 0-0'])
  said.length = 0
  const plan = await planned(2)
  problem.loseAnswer = true
  await expect(attempt(plan)).rejects.toThrow()
  await cancelRun(dropping, runOf(2), 2)
  expect(said).toEqual(['find 0-0', 'submit', 'find 0-0', 'cancel J1'])
})

it('at a source that is away is tried again; at one that refuses, or is another by now, it is told and left', async () => {
  const { at, problem, notes, said, planned, attempt, dropping } = await scene(() => ({ waitMs: 1 }))
  const plan = await planned(1)
  await expect(attempt(plan)).rejects.toThrow('is being exported')
  const about = { connector: 'numbers', doing: 'cancel', reason: 'no' }
  problem.of = new ConnectorError({ ...about, kind: 'transient' })
  await expect(cancelRun(dropping, runOf(1), 1)).rejects.toThrow('cancel failed')
  expect(await readPlan(at, plan.run)).not.toBeNull()
  problem.of = new ConnectorError({ ...about, kind: 'forbidden' })
  await cancelRun(dropping, runOf(1), 1)
  expect([...notes].join()).toContain('is left at the source')
  expect(await readPlan(at, plan.run)).toBeNull()
  await expect(attempt(await planned(2))).rejects.toThrow('is being exported')
  said.length = 0
  problem.identity = 'M'
  await cancelRun(dropping, runOf(2), 2)
  expect(said).toEqual([])
})

it.each(['cancelled', 'found dead by the next open'])(
  'stays while its plan is unfinished, whoever is %s, and goes with the run that finishes it',
  async (how) => {
    const { at, said, planned, attempt, dropping } = await scene(() => ({ ready: RANGES }))
    const proof = { planned: 20, now: null, verdict: '' }
    const unit = async (plan: RunPlan, range: string) => ({
      [range]: (await extractIntegers(at, plan, { range, seq: 1, previous: null }, 100)).id,
    })
    const first = await attempt(await planned(1))
    const early = { units: await unit(first, 'f0'), state: null, proof, last: false, job: 'J1' }
    await commitRun(at, first, early)
    said.length = 0

    for (const start of [2, 3]) {
      if (how === 'cancelled') await cancelRun(dropping, runOf(start - 1), 1)
      const opened = await openLane(dropping, runOf(start))
      expect(said).toEqual([])
      expect(opened.unfinished).toMatchObject({ job: 'J1', counts: { read: 10 } })
      const plan = await writePlan(at, resumePlan(at, runOf(start), opened, opened.unfinished!))
      expect(await attempt(plan)).toEqual(plan)
      // The second run ends as the first did; the third reads the rest.
      if (start === 2) continue
      await commitRun(at, plan, { units: await unit(plan, 'f1'), state: null, proof })
      await finishRun(dropping, plan)
      expect(said).toEqual(['cancel J1'])
    }
  },
)
