/**
 * A wave: many lanes on one stage, each with its own trouble, and what strikes their workers strikes all of them while
 * each is at its own point. Then two runs that follow, which bring what changed since and tidy up, and the verdict.
 */
import { join } from 'node:path'
import type { RunResult } from '../../activities/digests.ts'
import { parquetTypes } from '../e2e/compare.ts'
import { PAGE_ROWS, UNIT_ROWS, openKillStage } from '../e2e/kill-lanes.ts'
import type { KillLane, KillStage, LaneOptions } from '../e2e/kill-lanes.ts'
import { halt, isHalted } from '../e2e/kill-points.ts'
import type { WorkerProcess } from '../e2e/stage.ts'
import { pause, until } from '../e2e/until.ts'
import { attacks } from './attacks.ts'
import type { Field } from './attacks.ts'
import type { Attack, Blow, CaseResult, LaneCase } from './fault-case.ts'
import { infoOf } from './fault-case.ts'
import type { House } from './house.ts'
import type { Proxy } from './toxiproxy.ts'
import { judge } from './verdict.ts'

export const ACCOUNTS = 1_200
/** A run that takes so long does not end by itself. */
const STUCK_MS = 240_000
const HALT_MS = 60_000
/** Stamps are whole seconds, and a bound leaves out the second it is in. */
export const SECOND = 1_100

/** What lies between a worker and Temporal is attacked, and no process. */
const isCut = (attack?: Attack): boolean => /^(partition|resets|lag)$/.test(attack ?? '')

interface Player {
  one: LaneCase
  lane: KillLane
  way: Proxy | null
  status: string
  message: string
  problems: string[]
  kills: number
  again: number
  stuck: number
  ms: number
  /** The blow at which it begins: all end with the last one. */
  from: number
  ended: Promise<void>
}

const blowAt = ({ one, from }: Player, round: number): Blow | undefined => one.blows?.[round - from]

export async function runWave(house: House, cases: LaneCase[], seed: number): Promise<CaseResult[]> {
  const ways = await Promise.all(cases.map((one) => openWays(house, one)))
  const options: Record<string, LaneOptions> = Object.fromEntries(
    cases.map((one, at) => [`c${at}`, { ...one.options, ...ways[at]!.options }]),
  )
  if (!house.types) options['typed'] = { destination: { format: 'parquet' }, salesforce: { accounts: 100 } }
  const { attack, lake } = cases[0]!
  const kills = await openKillStage(house.temporal, options, { accounts: ACCOUNTS, seed }, lake)
  try {
    if (kills.stage.s3) await leadLakes(kills, ways)
    kills.stage.env['LAKEWARD_SETTLE_SECONDS'] = '2'
    const rounds = Math.max(...cases.map(({ blows = [] }) => blows.length))
    const players = cases.map((one, at) => player(one, kills.lanes.get(`c${at}`)!, ways[at]!.way, rounds))
    const way = /^(partition|resets|lag)$/.test(attack ?? '')
      ? await house.toxiproxy.proxy(house.temporal.address)
      : null
    const halts = (round: number) =>
      players.flatMap((one) => {
        const blow = blowAt(one, round)
        const { disk } = one.one
        if (disk && round === 0) return halt(disk.point, one.lane).map((call) => ({ ...call, fails: disk.fails }))
        return blow ? halt(blow.point, one.lane) : []
      })
    for (const { one, lane } of players) one.arm?.(lane)
    const typed = kills.lanes.get('typed')
    const first = await kills.startWorker(halts(0), { env: way ? { TEMPORAL_ADDRESS: way.address } : {} })
    if (typed) await typed.start()
    await startAll(players.filter(({ from }) => from === 0))
    await strikeAll(house, kills, { players, rounds, first, way, halts })
    await Promise.all(players.map(({ ended }) => ended))
    for (const one of players) if (!isMet(one)) one.problems.push('its fault met nothing')
    await release(kills, players)
    await kills.stage.pull()
    for (const one of players) {
      const { again, rows } = one.lane.sandbox.control.served({ object: 'Account' })
      one.again = again
      const most = mostAgain(one.one)
      if (again > most) one.problems.push(`${again} rows of ${rows} were read again, and ${most} may be`)
      if (one.status !== 'done' && !one.lane.entries().some(({ kind }) => kind === 'commit')) one.lane.forget()
      one.one.mend?.(one.lane)
      one.lane.sandbox.control.clearFaults()
    }
    kills.stage.s3?.gate.calm()
    for (const { way: spoilt } of ways) await spoilt?.heal()
    await follow(players, 20)
    await follow(players, 3)
    await kills.stage.pull()
    if (typed) house.types ??= await columnsOf(typed)
    const results: CaseResult[] = []
    for (const one of players) results.push(await resultOf(one, house.types!, seed))
    return results
  } finally {
    await kills.stop()
  }
}

function player(one: LaneCase, lane: KillLane, way: Proxy | null, rounds: number): Player {
  const none = { status: '', message: '', problems: [], kills: 0, again: 0, stuck: 0, ms: 0 }
  const from = one.blows ? rounds - one.blows.length : 0
  return { one, lane, way, from, ...none, ended: Promise.resolve() }
}

/** What stands in front of a lane's org or bucket, if its case asks for it. */
async function openWays(house: House, { toxic }: LaneCase): Promise<{ options: LaneOptions; way: Proxy | null }> {
  if (!toxic) return { options: {}, way: null }
  const way = await house.toxiproxy.proxy()
  if (toxic.at === 'org') return { options: { through: { org: way } }, way }
  return { options: { through: { lake: way.url } }, way }
}

async function leadLakes(kills: KillStage, ways: { options: LaneOptions; way: Proxy | null }[]): Promise<void> {
  for (const { options, way } of ways) if (options.through?.lake) await way?.leadTo(kills.stage.s3!.gate.url)
}

/** From a file of columns with types, which a run wrote beside the others. */
export async function columnsOf(typed: KillLane): Promise<Record<string, string>> {
  await typed.result()
  const types = await parquetTypes(join(typed.stage.lake, typed.folder))
  delete types['_lakeward_op']
  return types
}

async function startAll(players: Player[]): Promise<void> {
  await Promise.all(
    players.map(async (one) => {
      one.lane.expectChanges()
      await begin(one)
      const { toxic } = one.one
      if (!toxic) return
      void (async () => {
        await pause(toxic.afterMs ?? 0)
        await one.way?.spoil(toxic.toxic)
        await pause(toxic.forMs)
        await one.way?.heal()
      })().catch((error: unknown) => one.problems.push(String(error)))
    }),
  )
}

/** Starts the lane's run, and watches how it ends. */
async function begin(one: Player, isFirst = true): Promise<void> {
  const began = Date.now()
  await one.lane.start()
  const end = async (): Promise<void> => {
    const outcome = await Promise.race([outcomeOf(one.lane.result()), pause(STUCK_MS).then(() => null)])
    if (outcome === null) {
      one.stuck++
      one.problems.push(`${isFirst ? 'its run' : 'a run that follows'} does not end`)
      await one.lane.giveUp().catch(() => {})
      return
    }
    const { fails } = one.one
    const isRight = isFirst && fails ? fails.test(outcome.message) : /^(done|nothing)$/.test(outcome.status)
    if (!isRight)
      one.problems.push(`${isFirst ? 'it' : 'a run that follows'} ended: ${outcome.status} ${outcome.message}`)
    if (isFirst) Object.assign(one, { ...outcome, ms: Date.now() - began })
  }
  one.ended = end()
}

export async function outcomeOf(running: Promise<RunResult>): Promise<{ status: string; message: string }> {
  try {
    const { objects } = await running
    return { status: objects[0]?.status ?? 'nothing', message: '' }
  } catch (error) {
    return { status: 'failed', message: messagesOf(error).join(' <- ') }
  }
}

function messagesOf(error: unknown): string[] {
  const {
    message = String(error),
    cause,
    details,
  } = error as { message?: string; cause?: unknown; details?: unknown[] }
  const told = details?.length ? [JSON.stringify(details).slice(0, 1_500)] : []
  return [message, ...told, ...(cause ? messagesOf(cause) : [])]
}

interface Struck {
  players: Player[]
  rounds: number
  first: WorkerProcess
  way: Proxy | null
  halts: (round: number) => ReturnType<typeof halt>
}

async function strikeAll(
  house: House,
  kills: KillStage,
  { players, rounds, first, way, halts }: Struck,
): Promise<void> {
  const attack = players[0]?.one.attack
  if (!attack) return
  const field: Field = {
    worker: first,
    temporal: house.temporal,
    way,
    next: () => kills.startWorker([]),
    release: () => release(kills, players),
    between: () => Promise.resolve(),
    forget: () => kills.forget(),
    over: () => Promise.all(players.map(({ ended }) => ended)),
    problem: (text) => players.forEach(({ problems }) => problems.push(text)),
  }
  for (let round = 0; round < rounds; round++) {
    const struck = players.filter((one) => blowAt(one, round))
    await arrive(struck, round, field)
    if (!isCut(attack)) for (const one of struck) one.kills++
    field.between = () => carryOn(struck, round, () => startAll(players.filter(({ from }) => from === round + 1)))
    field.next = async () => kills.startWorker(halts(round + 1))
    await attacks[attack](field)
    if (!isCut(attack)) house.kills++
  }
}

/** Waits until every lane is at its point; one that never comes there is a problem of the case. */
async function arrive(players: Player[], round: number, field: Field): Promise<void> {
  const point = (one: Player) => blowAt(one, round)!.point
  const onTheWay = () => players.filter((one) => !isHalted(point(one), one.lane, field.worker.output()))
  await until('every lane is at its point', () => onTheWay().length === 0, { withinMs: HALT_MS }).catch(() => {
    for (const one of onTheWay()) one.problems.push(`it did not come to its point ${round + 1}`)
  })
}

async function carryOn(players: Player[], round: number, startNew: () => Promise<void>): Promise<void> {
  const changed: Player[] = []
  for (const one of players) {
    const { then } = blowAt(one, round)!
    one.lane.sandbox.control.clearFaults()
    if (then === 'cancelled') await one.lane.cancel()
    if (then !== 'given up') continue
    await one.lane.giveUp()
    await one.ended
    one.problems.length = 0
    // Who begins anew reads all of it by right.
    one.lane.sandbox.control.reset()
    one.lane.sandbox.control.insert({ object: 'Account', count: 5 })
    changed.push(one)
  }
  if (changed.length > 0) await pause(SECOND)
  await startAll(changed)
  await startNew()
}

async function release({ stage }: KillStage, players: Player[]): Promise<void> {
  stage.s3?.gate.hang([])
  for (const { lane } of players) lane.sandbox.control.clearFaults()
  await stage.s3?.gate.release()
}

/** A run that follows, of every lane, over what changed since. */
async function follow(players: Player[], rows: number): Promise<void> {
  for (const { lane } of players) {
    lane.sandbox.control.reset()
    lane.change(rows)
  }
  await pause(SECOND)
  for (const one of players) one.lane.expectChanges()
  await Promise.all(players.map((one) => begin(one, false)))
  await Promise.all(players.map(({ ended }) => ended))
  for (const { lane, problems, one } of players) {
    const { again } = lane.sandbox.control.served({ object: 'Account' })
    if (again > 0 && !one.fails) problems.push(`a run that follows read ${again} rows again`)
  }
}

/** A fault that no request came to shows nothing. */
function isMet({ lane, one }: Player): boolean {
  if (one.fails) return true
  const paths = lane.stage.s3?.gate.unmet() ?? []
  const isStruck = !paths.some((path) => path.includes(`/${lane.flow.name}/`) || path.startsWith(`/${lane.folder}/`))
  return isStruck && lane.sandbox.control.pendingFaults() === 0
}

function mostAgain({ again, attack, blows = [] }: LaneCase): number {
  if (again !== undefined) return again
  if (attack === 'term') return PAGE_ROWS
  // A request that is held up is answered in the end, though nobody waits for it.
  const points = blows.map(({ point }) => (point.again ?? 0) + ('request' in point.at ? PAGE_ROWS : 0))
  const told = points.reduce((sum, rows) => sum + rows, 0)
  if (attack === 'kill' || attack === 'late' || attack === 'away') return told
  return UNIT_ROWS * Math.max(1, blows.length)
}

async function resultOf(one: Player, types: Record<string, string>, seed: number): Promise<CaseResult> {
  const { problems: found, ...rows } = await judge(one.lane, types)
  const problems = [...one.problems, ...found]
  const { status, message, kills, again, stuck, ms } = one
  return {
    ...infoOf(one.one),
    ...{ seed, ok: problems.length === 0, status, ...(message && { message: message.slice(0, 600) }) },
    ...{ kills, ...rows, stuck, again, ms, problems },
  }
}
