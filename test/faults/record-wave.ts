/**
 * Files into records of a vendor, each case with an org of its own: what the org has in the end against what the files
 * had, in every column.
 *
 * The promise: an upsert and a delete leave each record as the files say, however often it was sent; an insert by Bulk
 * makes each record once, because a job is remembered before it is given its data.
 */
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { RunResult } from '../../activities/digests.ts'
import { filesBelow } from '../e2e/lane-files.ts'
import { SCHEMA, rowsOf } from '../e2e/records-stage.ts'
import type { Cells } from '../e2e/records-stage.ts'
import { SECRET, openStage } from '../e2e/stage.ts'
import type { Stage } from '../e2e/stage.ts'
import { pause, until } from '../e2e/until.ts'
import type { Fault } from '../sandboxes/salesforce/faults.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import type { CaseInfo, CaseResult } from './fault-case.ts'
import type { House } from './house.ts'
import { tally } from './tally.ts'
import { outcomeOf } from './wave.ts'
import type { Wave } from './waves.ts'

export type Writing = 'upsert by REST' | 'upsert by Bulk' | 'insert by Bulk' | 'delete by REST'

export interface RecordCase {
  writing: Writing
  step: string
  fault: string
  with: Fault
  /** Its worker dies while the request waits for its answer. */
  isKilled: boolean
}

const STUCK_MS = 240_000
/** More than fit into two requests of REST. */
const ROWS = 450

export const recordInfo = ({ writing, step, fault }: RecordCase): CaseInfo => ({
  name: `records/${writing}: ${step}/${fault}`,
  ...{ group: 'records', step: `${writing}: ${step}`, fault, kind: 'records' },
})

export const recordWave = (cases: RecordCase[]): Wave => ({
  cases: cases.map(recordInfo),
  isAlone: false,
  run: (house, seed) => runRecords(house, cases, seed),
})

interface Player {
  one: RecordCase
  name: string
  sandbox: Sandbox
  flow: object & { name: string }
  /** What the org must have, by key. */
  rows: Map<string, Cells>
  status: string
  message: string
  ms: number
  stuck: number
  problems: string[]
  ended: Promise<void>
}

async function runRecords(house: House, cases: RecordCase[], seed: number): Promise<CaseResult[]> {
  const stage = await openStage(house.temporal, { salesforce: { accounts: 1 }, lake: 'file' })
  const players: Player[] = []
  try {
    for (const [at, one] of cases.entries()) players.push(await openPlayer(stage, one, `r${at}`, seed))
    let worker = await stage.startWorker()
    for (const one of players) one.sandbox.control.fault(one.one.with)
    for (const one of players) await begin(stage, one, true)
    const struck = players.filter(({ one }) => one.isKilled)
    if (struck.length > 0) {
      const isHeld = ({ sandbox }: Player): boolean => sandbox.control.pendingFaults() === 0
      await until('every case is at its request', () => struck.every(isHeld), { withinMs: 60_000 }).catch(() => {
        for (const one of struck) if (!isHeld(one)) one.problems.push('its request did not come')
      })
      await worker.kill('SIGKILL')
      house.kills++
      for (const { sandbox } of struck) sandbox.control.clearFaults()
      worker = await stage.startWorker()
    }
    await Promise.all(players.map(({ ended }) => ended))
    for (const { sandbox, problems } of players) {
      if (sandbox.control.pendingFaults() > 0) problems.push('its fault met nothing')
      sandbox.control.clearFaults()
    }
    for (const one of players) if (one.one.writing !== 'delete by REST') more(stage, one)
    for (let follows = 0; follows < 2; follows++) {
      for (const one of players) await begin(stage, one, false)
      await Promise.all(players.map(({ ended }) => ended))
    }
    return players.map((one) => resultOf(stage, one, seed))
  } finally {
    await stage.stop()
    for (const { sandbox } of players) await sandbox.stop()
  }
}

async function openPlayer(stage: Stage, one: RecordCase, name: string, seed: number): Promise<Player> {
  const login = { clientId: 'stage-client', clientSecret: SECRET }
  const sandbox = await startSalesforce({ ...login, seed, accounts: 20, opportunities: 0, contacts: 0 })
  sandbox.control.ingest({ polls: 1 })
  const [crm, inbox] = [`${stage.crm}-${name}`, `inbox-${name}`]
  const file = join(stage.directory, 'lakeward.yaml')
  const installation = parse(readFileSync(file, 'utf8')) as { connections: Record<string, object> }
  installation.connections[crm] = { ...installation.connections[stage.crm], loginUrl: sandbox.url }
  installation.connections[inbox] = { connector: 'file', path: './in', taskQueue: stage.queue }
  writeFileSync(file, stringify(installation))
  const rows = new Map(rowsOf(name, ROWS).map((row) => [String(row['External_Key__c']), row]))
  let written: Cells[] = [...rows.values()]
  if (one.writing === 'delete by REST') {
    written = sandbox.control.insert({ object: 'Account', rows: written }).ids.map((Id) => ({ Id }))
    rows.clear()
  }
  if (one.writing === 'insert by Bulk') written = written.map(inserted)
  put(stage, name, written)
  const keyed = one.writing.startsWith('upsert')
  const { External_Key__c: key, ...others } = SCHEMA
  const schema = keyed ? { External_Key__c: key, ...others } : written[0]?.['Id'] ? { Id: 'string' } : INSERTED
  const flow = stage.flow(
    JSON.stringify({
      name,
      source: {
        connection: inbox,
        format: 'csv',
        objects: [
          { object: `${name}/*.csv`, id: name, into: 'Account', schema, ...(keyed && { keys: ['External_Key__c'] }) },
        ],
      },
      destination: {
        connection: crm,
        write: keyed ? 'upsert' : one.writing === 'delete by REST' ? 'delete' : 'append',
        ...(one.writing === 'insert by Bulk'
          ? {}
          : { options: { api: one.writing.endsWith('REST') ? 'rest' : 'bulk' } }),
      },
    }),
  )
  const none = { status: '', message: '', ms: 0, stuck: 0, problems: [], ended: Promise.resolve() }
  return { one, name, sandbox, flow, rows, ...none }
}

const INSERTED = { Name: 'string', Phone: 'string', AccountNumber: 'string' }

/** An insert has no key to be found by: its number tells it. */
function inserted({ External_Key__c: key, Name, Phone }: Cells): Cells {
  return { Name: Name!, Phone: Phone!, AccountNumber: key! }
}

/** Some that are known, changed where they can be found again, and some that are not. */
function more(stage: Stage, { one, name, rows }: Player): void {
  const fresh = rowsOf(name, ROWS + 30).slice(ROWS)
  const known = one.writing.startsWith('upsert') ? [...rows.values()].slice(0, 30) : []
  const changed = known.map((row): Cells => ({ ...row, Name: 'changed' }))
  for (const row of [...fresh, ...changed]) rows.set(String(row['External_Key__c']), row)
  put(
    stage,
    name,
    [...fresh, ...changed].map((row) => (one.writing === 'insert by Bulk' ? inserted(row) : row)),
  )
}

let files = 0
function put(stage: Stage, folder: string, rows: Cells[]): void {
  const path = join(stage.directory, 'in', folder, `${++files}.csv`)
  mkdirSync(join(path, '..'), { recursive: true })
  const cell = (value: Cells[string] | undefined): string =>
    value === null || value === undefined ? '' : `"${String(value).replaceAll('"', '""')}"`
  const header = Object.keys(rows[0]!)
  const lines = [header, ...rows.map((row) => header.map((field) => cell(row[field])))]
  writeFileSync(path, lines.map((cells) => `${cells.join(',')}\n`).join(''))
  utimesSync(path, 1_700_000_000 + files, 1_700_000_000 + files)
}

async function begin(stage: Stage, one: Player, isFirst: boolean): Promise<void> {
  const began = Date.now()
  const run = await stage.start(one.flow)
  const result: Promise<RunResult> = run.result()
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

function resultOf(
  stage: Stage,
  { one, name, sandbox, flow, rows, problems: told, ...of }: Player,
  seed: number,
): CaseResult {
  const key = one.writing === 'insert by Bulk' ? 'AccountNumber' : 'External_Key__c'
  const isOurs = (row: Record<string, string | null>): boolean => row[key]?.startsWith(`${name}-`) ?? false
  const found = [...sandbox.control.truth('Account')].filter(isOurs)
  const expected = [...rows.values()].map((row) => (one.writing === 'insert by Bulk' ? inserted(row) : row))
  const counts = tally(expected, found, key)
  const state = join(stage.directory, '.lakeward/state/lake/_lakeward', flow.name)
  const left = existsSync(state) ? filesBelow(state).filter((path) => /\/(plans|units|staged)\//.test(path)) : []
  const problems = [
    ...told,
    ...Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} records ${what}`] : [])),
    ...(left.length > 0 ? [`left behind: ${left.join(', ')}`] : []),
  ]
  const { status, message, stuck, ms } = of
  return {
    ...recordInfo(one),
    ...{ seed, ok: problems.length === 0, status, ...(message && { message: message.slice(0, 600) }) },
    ...{ kills: one.isKilled ? 1 : 0, ...counts, stuck, orphans: 0, staged: left.length, again: 0, ms, problems },
  }
}
