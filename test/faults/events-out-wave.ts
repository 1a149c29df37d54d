/**
 * Records as events on a bus of moto.
 *
 * The promise: every record comes at least once, and what comes again has the same id: EventBridge takes no id of ours,
 * so nobody could promise more.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { openEventGate } from '../eventbridge/event-gate.ts'
import type { EventGate } from '../eventbridge/event-gate.ts'
import { openEventQueue } from '../eventbridge/event-queue.ts'
import type { EventQueue } from '../eventbridge/event-queue.ts'
import { openStage } from '../e2e/stage.ts'
import type { Stage } from '../e2e/stage.ts'
import { pause, until } from '../e2e/until.ts'
import { startTestMoto } from '../s3-servers.ts'
import type { CaseInfo, CaseResult } from './fault-case.ts'
import type { House } from './house.ts'
import { tally } from './tally.ts'
import { SECOND, outcomeOf } from './wave.ts'
import type { Wave } from './waves.ts'

type Fate = ReturnType<EventGate['fate']>
interface OutCase {
  fault: string
  /** What becomes of entries, over and over in this order. */
  fates?: Fate[]
  /** The worker dies when so many requests went through, and the last was not answered. */
  killedBehind?: number
}

const ROWS = 60
const cases: OutCase[] = [
  { fault: 'kill -9, before any was answered', killedBehind: 1 },
  { fault: 'kill -9, in the middle', killedBehind: 4 },
  { fault: 'entries are throttled', fates: ['taken', { code: 'ThrottlingException' }, 'taken'] },
  { fault: 'entries fail', fates: [{ code: 'InternalFailure' }, 'taken'] },
  { fault: 'entries are taken, and told as failed', fates: ['lost', 'taken', 'taken'] },
  { fault: 'kill -9, and entries fail', fates: ['taken', 'lost', { code: 'InternalFailure' }], killedBehind: 3 },
]
const infoOf = ({ fault }: OutCase): CaseInfo => ({
  name: `events/out: they are sent/${fault}`,
  ...{ group: 'events', step: 'out: they are sent', fault, kind: 'events out' },
})

export const eventsOutWave: Wave = {
  cases: cases.map(infoOf),
  isAlone: false,
  async run(house, seed) {
    const moto = await startTestMoto()
    const gate = await openEventGate(moto.url)
    const queue = await openEventQueue(moto.url)
    const salesforce = { accounts: ROWS, opportunities: 1, contacts: 1, pageRows: 20, seed }
    const stage = await openStage(house.temporal, { salesforce, lake: 'file' })
    try {
      const file = join(stage.directory, 'lakeward.yaml')
      const installation = parse(readFileSync(file, 'utf8')) as { connections: Record<string, unknown> }
      const events = { connector: 'eventbridge', bus: queue.bus, region: 'us-east-1', endpoint: gate.url }
      installation.connections['events'] = events
      writeFileSync(file, stringify(installation))
      Object.assign(stage.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })
      const results: CaseResult[] = []
      // The gate cannot tell whose an entry is: one after the other.
      for (const [at, one] of cases.entries())
        results.push(await runOut(house, stage, { gate, queue }, one, `o${at}`, seed))
      return results
    } finally {
      await stage.stop()
      await gate.stop()
      await moto.stop()
    }
  },
}

async function runOut(
  house: House,
  stage: Stage,
  { gate, queue }: { gate: EventGate; queue: EventQueue },
  one: OutCase,
  name: string,
  seed: number,
): Promise<CaseResult> {
  const began = Date.now()
  const { control } = stage.sandbox
  const problems: string[] = []
  const flow = stage.flow(
    JSON.stringify({
      name,
      source: { settle: '0s', objects: [{ object: 'Account', into: name, transform: [{ keep: ['Id', 'Name'] }] }] },
      destination: { connection: 'events' },
    }),
  )
  let [entries, passed] = [0, 0]
  let worker = await stage.startWorker()
  gate.fate = () => one.fates?.[entries++ % one.fates.length] ?? 'taken'
  gate.passed = () =>
    one.killedBehind === undefined || ++passed < one.killedBehind ? queue.collect() : new Promise(() => {})
  await pause(SECOND)
  const expected = () => [...control.truth('Account')].map(({ Id, Name }) => ({ Id, Name }))
  const first = expected()
  const run = await stage.start(flow)
  if (one.killedBehind !== undefined) {
    await until('requests went through', () => passed >= one.killedBehind!)
    await worker.kill('SIGKILL')
    house.kills++
    gate.passed = () => queue.collect()
    worker = await stage.startWorker()
  }
  const { status, message } = await outcomeOf(run.result())
  if (status !== 'done') problems.push(`it ended: ${status} ${message}`)
  Object.assign(gate, { fate: () => 'taken', passed: () => queue.collect() })
  const firstIds = new Set(first.map(({ Id }) => Id))
  const { ids } = control.insert({ object: 'Account', count: 3 })
  await pause(SECOND)
  for (let follows = 0; follows < 2; follows++) {
    const ended = await outcomeOf((await stage.start(flow)).result())
    if (!/^(done|nothing)$/.test(ended.status)) problems.push(`a run that follows ended: ${ended.message}`)
  }
  await worker.kill('SIGKILL')
  const byId = new Map<unknown, Record<string, unknown>>()
  let again = 0
  for (const { detail, 'detail-type': type } of await queue.take()) {
    if (type !== name) continue
    const { _lakeward_id: id, ...record } = detail
    if (byId.has(id)) again++
    byId.set(id, record)
  }
  const wanted = expected().filter(({ Id }) => firstIds.has(Id) || ids.includes(Id!))
  const counts = tally(wanted, [...byId.values()], 'Id')
  for (const [what, count] of Object.entries(counts)) if (count > 0) problems.push(`${count} events ${what}`)
  return {
    ...infoOf(one),
    ...{ seed, ok: problems.length === 0, status, ...(message && { message }), kills: one.killedBehind ? 1 : 0 },
    ...{ ...counts, stuck: 0, orphans: 0, staged: 0, again, ms: Date.now() - began, problems },
  }
}
