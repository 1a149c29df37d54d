/**
 * Salesforce into tables of Redshift's stand-in: what the table has in the end against what the org has.
 *
 * The promise: each record is in the table once, because the transaction that loads it moves the lane's row in the
 * ledger first, and fails where that was moved before.
 */
import { join } from 'node:path'
import { postgresPrograms } from '../components.ts'
import { filesBelow } from '../e2e/lane-files.ts'
import type { WorkerProcess } from '../e2e/stage.ts'
import { pause, until } from '../e2e/until.ts'
import { openWarehouse } from '../e2e/warehouse-stage.ts'
import type { WarehouseStage } from '../e2e/warehouse-stage.ts'
import type { Fault } from '../sandboxes/redshift/redshift.ts'
import type { CaseInfo, CaseResult } from './fault-case.ts'
import type { House } from './house.ts'
import { tally } from './tally.ts'
import { SECOND, outcomeOf } from './wave.ts'
import type { Wave } from './waves.ts'

export interface TableCase {
  step: string
  fault: string
  /** Where its worker dies: a part of the transaction by its share, its commit, or a request to the bucket. */
  kill?: { part: number | 'commit' } | { method: string; path: string; done: number }
  /** What the Data API does. */
  api?: Fault
}

const STUCK_MS = 240_000
const object = 'Account'
const COLUMNS: [field: string, sql: string][] = [
  ['Id', 'id'],
  ['Name', 'name'],
  ['AnnualRevenue', 'annualrevenue'],
  ['SystemModstamp', `to_char(systemmodstamp, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`],
]

export const tableInfo = ({ step, fault }: TableCase): CaseInfo => ({
  name: `tables/${step}/${fault}`,
  ...{ group: 'tables', step, fault, kind: 'tables' },
})

export const tableWave = (cases: TableCase[]): Wave => ({
  cases: cases.map(tableInfo),
  isAlone: false,
  run: (house, seed) => runTables(house, cases, seed),
})

async function runTables(house: House, cases: TableCase[], seed: number): Promise<CaseResult[]> {
  const salesforce = { accounts: 150, opportunities: 1, contacts: 0, seed }
  const warehouse = await openWarehouse(house.temporal, await postgresPrograms(), { salesforce })
  try {
    const players = cases.map((one, at) => player(warehouse, one, `t${at}`))
    let worker = await start(warehouse)
    const killed = players.filter(({ one }) => one.kill)
    if (killed.length > 0) {
      worker = await strike(house, warehouse, worker, killed)
      await Promise.all(killed.map(({ ended }) => ended))
    }
    // The Data API cannot tell whose a request is: one after the other.
    for (const one of players) {
      if (!one.one.api) continue
      warehouse.redshift.fault(one.one.api)
      await begin(warehouse, one, true)
      await one.ended
      warehouse.redshift.calm()
    }
    const { control } = warehouse.stage.sandbox
    for (let follows = 0; follows < 2; follows++) {
      control.insert({ object, count: 3 })
      await pause(SECOND)
      for (const one of players) await begin(warehouse, one, false)
      await Promise.all(players.map(({ ended }) => ended))
    }
    await warehouse.stage.pull()
    const results: CaseResult[] = []
    for (const one of players) results.push(await resultOf(warehouse, one, seed))
    return results
  } finally {
    await warehouse.stop()
  }
}

type Player = ReturnType<typeof player>

function player({ stage }: WarehouseStage, one: TableCase, name: string) {
  const keep = COLUMNS.map(([field]) => field)
  const flow = stage.flow(
    JSON.stringify({
      name,
      source: { settle: '0s', includeDeleted: false, objects: [{ object, into: name, transform: [{ keep }] }] },
      destination: { connection: 'warehouse', write: 'append' },
    }),
  )
  const none = { status: '', message: '', ms: 0, stuck: 0, problems: [] as string[], ended: Promise.resolve() }
  return { one, name, flow, ...none }
}

const start = ({ stage }: WarehouseStage): Promise<WorkerProcess> =>
  stage.startWorker({ args: ['--task-queue', stage.queue, '--slots', '40'] })

async function begin({ stage }: WarehouseStage, one: Player, isFirst: boolean): Promise<void> {
  const began = Date.now()
  const run = await stage.start(one.flow)
  const result = run.result()
  one.ended = (async () => {
    const ended = await Promise.race([outcomeOf(result), pause(STUCK_MS).then(() => null)])
    if (ended === null) {
      one.stuck++
      one.problems.push('its run does not end')
    } else if (!/^(done|nothing)$/.test(ended.status)) {
      one.problems.push(`${isFirst ? 'it' : 'a run that follows'} ended: ${ended.status} ${ended.message}`)
    }
    if (isFirst) Object.assign(one, { ...ended, ms: Date.now() - began })
  })()
}

/** All that are to be killed come to their points; then their worker dies, and what was held goes on without it. */
async function strike(
  house: House,
  warehouse: WarehouseStage,
  worker: WorkerProcess,
  players: Player[],
): Promise<WorkerProcess> {
  const { redshift, stage } = warehouse
  const steps = new Set<number>()
  redshift.gate((_, at) => void (at === 'commit' || steps.add(at)))
  const probe = player(warehouse, players[0]!.one, 'probe')
  await begin(warehouse, probe, false)
  await probe.ended
  const gate = stage.s3!.gate
  const parts = [...steps].toSorted((a, b) => a - b)
  const stopped = new Set<string>()
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  redshift.gate(async (request, at) => {
    const one = players.find(({ name, one: { kill } }) => {
      if (!kill || !('part' in kill) || !request.parts.some(({ sql }) => sql.includes(`"${name}"`))) return false
      return at === (kill.part === 'commit' ? 'commit' : parts[Math.floor(kill.part * (parts.length - 1))])
    })
    if (!one || stopped.has(one.name)) return
    stopped.add(one.name)
    await released
  })
  gate.hang(
    players.flatMap(({ name, flow, one: { kill } }) =>
      kill && 'path' in kill ? [{ ...kill, name, path: `/${flow.name}/${object}/${kill.path}` }] : [],
    ),
  )
  for (const one of players) await begin(warehouse, one, true)
  const isHalted = ({ name }: Player): boolean => stopped.has(name) || gate.halted().has(name)
  await until('every case is at its point', () => players.every(isHalted), { withinMs: 60_000 }).catch(() => {
    for (const one of players) if (!isHalted(one)) one.problems.push('it did not come to its point')
  })
  await worker.kill('SIGKILL')
  house.kills++
  gate.hang([])
  release()
  redshift.gate()
  return start(warehouse)
}

async function resultOf(
  { rows, stage }: WarehouseStage,
  { one, name, flow, problems: told, ...of }: Player,
  seed: number,
): Promise<CaseResult> {
  const columns = COLUMNS.map(([, sql]) => `(${sql})::text`).join(', ')
  const found = (await rows(`SELECT ${columns} FROM ${name}`)).map((row) =>
    Object.fromEntries(COLUMNS.map(([field], at) => [field, row[at]])),
  )
  const expected = [...stage.sandbox.control.truth(object)].map((row) =>
    Object.fromEntries(COLUMNS.map(([field]) => [field, row[field]])),
  )
  const counts = tally(expected, found, 'Id')
  const lane = join('_lakeward', flow.name, object)
  const left = filesBelow(join(stage.lake, lane)).filter((path) => /\/(plans|units|staged)\//.test(path))
  const problems = [
    ...told,
    ...Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} rows ${what}`] : [])),
    ...(left.length > 0 ? [`left behind: ${left.join(', ')}`] : []),
  ]
  const { status, message, stuck, ms } = of
  return {
    ...tableInfo(one),
    ...{ seed, ok: problems.length === 0, status, ...(message && { message: message.slice(0, 600) }) },
    ...{ kills: one.kill ? 1 : 0, ...counts, stuck, orphans: 0, staged: left.length, again: 0, ms, problems },
  }
}
