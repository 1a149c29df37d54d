/**
 * Storms: lanes run on and on while workers are struck at random, and the bucket and the vendor fail at random. When it
 * is over two quiet runs follow, and the verdict.
 */
import { once } from 'node:events'
import { addHits, noHits } from '../e2e/kill-hits.ts'
import type { Hits } from '../e2e/kill-hits.ts'
import { UNIT_ROWS, openKillStage } from '../e2e/kill-lanes.ts'
import type { KillLane, KillStage } from '../e2e/kill-lanes.ts'
import { PAGE } from '../e2e/kill-points.ts'
import type { Trouble } from '../e2e/s3-gate.ts'
import type { WorkerProcess } from '../e2e/stage.ts'
import { pause } from '../e2e/until.ts'
import type { FaultAction } from '../sandboxes/salesforce/faults.ts'
import type { CaseInfo, CaseResult } from './fault-case.ts'
import type { House } from './house.ts'
import { generator } from './simulation/random.ts'
import { judge } from './verdict.ts'
import { SECOND, columnsOf, outcomeOf } from './wave.ts'
import type { Wave } from './waves.ts'

interface Weather {
  fault: string
  lake: 'versitygw' | 'file'
  kills: number
  /** Some of those that are struck are told to end, or stopped for longer than they may be silent. */
  isMixed?: true
  /** The bucket and the vendor fail as well. */
  hasTroubles?: true
}

const WORKERS = 3
const LANES = 12
const ACCOUNTS = 600
const STUCK_MS = 240_000

const weathers: Weather[] = [
  { fault: 'kill -9 at random', lake: 'versitygw', kills: 30 },
  { fault: 'kill -9 at random', lake: 'file', kills: 30 },
  { fault: 'kill -9, SIGTERM, SIGSTOP and SIGCONT at random', lake: 'versitygw', kills: 24, isMixed: true },
  { fault: 'kill -9, and bucket and vendor fail at random', lake: 'versitygw', kills: 24, hasTroubles: true },
]

export const storms: Wave[] = weathers.map((weather) => {
  const about: CaseInfo = {
    name: `storm/any step/${weather.fault}${weather.lake === 'file' ? '/directory' : ''}`,
    group: 'storm',
    step: 'any step',
    fault: weather.fault,
    kind: weather.lake === 'file' ? 'directory' : 'bucket',
  }
  return {
    cases: [about],
    isAlone: false,
    run: (house, seed) => runStorm(house, weather, about, seed),
  }
})

interface Runner {
  lane: KillLane
  hits: Hits
  runs: number
  problems: string[]
  stuck: number
}

async function runStorm(house: House, weather: Weather, about: CaseInfo, seed: number): Promise<CaseResult[]> {
  const random = generator(seed)
  const names = Array.from({ length: LANES }, (_, at) => `s${at}`)
  const lanes: Parameters<typeof openKillStage>[1] = Object.fromEntries(names.map((name) => [name, {}]))
  lanes['typed'] = { destination: { format: 'parquet' }, salesforce: { accounts: 100 } }
  const kills = await openKillStage(house.temporal, lanes, { accounts: ACCOUNTS, pageMs: 120, seed }, weather.lake)
  try {
    kills.stage.env['LAKEWARD_SETTLE_SECONDS'] = '2'
    const typed = kills.lanes.get('typed')!
    const runners = names.map((name): Runner => {
      return { lane: kills.lanes.get(name)!, hits: noHits(), runs: 0, problems: [], stuck: 0 }
    })
    const workers: WorkerProcess[] = []
    for (let at = 0; at < WORKERS; at++) workers.push(await kills.startWorker([], { slots: LANES }))
    await typed.start()
    house.types ??= await columnsOf(typed)
    const began = Date.now()
    const storm = { over: false }
    const running = Promise.all(runners.map((one) => runOn(one, kills, storm, random)))
    running.catch(() => {}) // seen below
    const troubles = weather.hasTroubles ? trouble(kills, runners, storm, random) : Promise.resolve()
    await Promise.all(workers.map((_, at) => strikeWorker(house, kills, weather, workers, at, random)))
    storm.over = true
    await troubles
    await running
    for (let quiet = 0; quiet < 2; quiet++) {
      await pause(SECOND)
      await Promise.all(runners.map((one) => runOnce(one, kills)))
    }
    await kills.stage.pull()
    const results: CaseResult[] = []
    for (const one of runners)
      results.push(await resultOf(one, house.types, { about, weather, seed, ms: Date.now() - began }))
    return results
  } finally {
    await kills.stop()
  }
}

async function runOn(one: Runner, kills: KillStage, storm: { over: boolean }, random: () => number): Promise<void> {
  await pause(random() * 1_000)
  while (!storm.over && one.stuck === 0) {
    await runOnce(one, kills)
    one.lane.change(Math.floor(random() * 300))
    await pause(SECOND)
  }
}

async function runOnce(one: Runner, { stage }: KillStage): Promise<void> {
  one.lane.expectChanges()
  await one.lane.start()
  const ended = await Promise.race([outcomeOf(one.lane.result()), pause(STUCK_MS).then(() => null)])
  one.runs++
  if (ended === null) {
    one.stuck++
    one.problems.push(`run ${one.runs} does not end`)
  } else if (!/^(done|nothing)$/.test(ended.status)) {
    one.problems.push(`run ${one.runs} ended: ${ended.status} ${ended.message}`)
  }
  await addHits(one.hits, stage.client, one.lane.laneId).catch(() => {})
}

async function strikeWorker(
  house: House,
  kills: KillStage,
  { kills: all, isMixed }: Weather,
  workers: WorkerProcess[],
  at: number,
  random: () => number,
): Promise<void> {
  for (let kill = 0; kill < all / WORKERS; kill++) {
    await pause(50 + random() * 1_450)
    const worker = workers[at]!
    const way = isMixed ? Math.floor(random() * 3) : 0
    house.kills++
    if (way === 2) {
      worker.process.kill('SIGSTOP')
      await pause(6_000 + random() * 3_000)
      worker.process.kill('SIGCONT')
      continue
    }
    if (way === 1) {
      worker.process.kill('SIGTERM')
      if (worker.process.exitCode === null) await once(worker.process, 'exit')
    } else await kills.kill(worker)
    workers[at] = await kills.startWorker([], { slots: LANES })
  }
}

const methods = ['PUT', 'POST', 'GET', 'DELETE']
const inBucket: Trouble[] = [
  {},
  { done: true },
  { error: { status: 500, code: 'InternalError' } },
  { error: { status: 503, code: 'SlowDown' } },
  { done: true, error: { status: 500, code: 'InternalError' } },
]
const atVendor: FaultAction[] = [
  { close: 'before' },
  { close: 'after' },
  { truncate: 100 },
  { cut: 100 },
  { expireTokens: true },
  { expireLocators: true },
  { answer: { status: 429, headers: { 'retry-after': '1' }, body: '' } },
  { answer: { status: 500, body: '' } },
]

async function trouble(
  kills: KillStage,
  runners: Runner[],
  storm: { over: boolean },
  random: () => number,
): Promise<void> {
  const any = <T>(of: T[]): T => of[Math.floor(random() * of.length)]!
  while (!storm.over) {
    await pause(200 + random() * 400)
    const { lane } = any(runners)
    kills.stage.s3?.gate.strike([
      {
        method: any(methods),
        path: `${lane.flow.name}|/${lane.folder}/`,
        skip: Math.floor(random() * 5),
        do: any(inBucket),
      },
    ])
    any(runners).lane.sandbox.control.fault({ match: random() < 0.5 ? PAGE : '/services/', do: any(atVendor) })
  }
  kills.stage.s3?.gate.calm()
  for (const { lane } of runners) lane.sandbox.control.clearFaults()
}

async function resultOf(
  { lane, hits, problems: told, stuck }: Runner,
  types: Record<string, string>,
  { about, weather, seed, ms }: { about: CaseInfo; weather: Weather; seed: number; ms: number },
): Promise<CaseResult> {
  const { problems: found, ...rows } = await judge(lane, types)
  const again = lane.sandbox.control.served({ object: 'Account' }).rows - lane.expected.length
  const silent = Object.values(hits.silent).reduce((sum, count) => sum + count, 0) + hits.workflowTasks
  const problems = [...told, ...found]
  const isKilled = !weather.isMixed && !weather.hasTroubles
  const most = (hits.silent['extractUnit'] ?? 0) * UNIT_ROWS
  if (isKilled && again > most) problems.push(`${again} rows were read again, and ${most} may be`)
  const struck = { ...hits.silent, ...(hits.workflowTasks > 0 && { 'workflow task': hits.workflowTasks }) }
  return {
    ...about,
    ...{ seed, ok: problems.length === 0, status: 'done', kills: silent, ...rows, stuck, again: Math.max(again, 0) },
    ...{ ms, problems, struck },
  }
}
