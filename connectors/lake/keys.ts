/**
 * Every key the protocol uses, built in one place.
 *
 * Laws
 * - Names of flows and objects are one segment each, whatever is in them: everything but letters, digits, `_`, `-` and
 *   inner dots is percent-encoded. No flow's segment begins with `_`, so `_lakeward/_…` is free for the lake's own.
 * - In byte order a lane's folder reads commits, deliveries, hint, plans, seen, (staged), units: one listing from an
 *   entry on shows all that an open needs.
 * - A data file's name holds lane, run, range, unit and a nonce: no two attempts, flows, namespaces or clusters share
 *   one.
 */
import { createHash, randomBytes } from 'node:crypto'
import { InputError } from '../errors.ts'
import type { Lane } from './protocol.ts'

export const IDENTITY_KEY = '_lakeward/lake.json'

const NUMBER = /^(\d{8})\.(json|outcome|delivered)$/
const PARTS = { json: 'entry', outcome: 'outcome', delivered: 'receipt' } as const
const SEEN = /^(\d{8})-[^/]+\.json$/
const LONGEST_SEGMENT = 120
/** Entries have eight digits. */
export const MOST_ENTRIES = 99_999_999

/** One path segment for any name; two names never share one. */
export function segment(name: string): string {
  if (name === '') throw new InputError([{ what: 'an object has an empty name', where: 'source.objects' }])
  // A flow may be called lake.json, and the lake's identity lies beside the flows.
  const whole = name === 'lake.json' ? 'lake%2Ejson' : encodeName(name)
  if (whole.length <= LONGEST_SEGMENT) return whole
  return `${whole.slice(0, 80).replace(/%.?$/, '')}~${hash(name, 32)}`
}

function encodeName(name: string): string {
  return [...Buffer.from(name, 'utf8')]
    .map((byte, at, { length }) => {
      const char = String.fromCharCode(byte)
      if (/[A-Za-z0-9_-]/.test(char) && !(char === '_' && at === 0)) return char
      if (char === '.' && at > 0 && at < length - 1) return char
      return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

function hash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}

/** Eight digits that tell lanes apart where their files lie side by side. */
export function lane8(lane: Pick<Lane, 'namespaceId' | 'flow' | 'object'>): string {
  return hash(JSON.stringify([lane.namespaceId, lane.flow, lane.object]), 8)
}

/** `<lane8>-<run>`: how the names of a run's files begin. */
export function filesPrefix(lane: Lane, run: string): string {
  return `${lane8(lane)}-${run}`
}

/** The run that a staged or data file is of, by its name; null: a file of another lane, or none of ours. */
export function runOfFile(lane: Lane, key: string): string | null {
  const name = key.slice(key.lastIndexOf('/') + 1)
  const [own, ...rest] = name.split('-')
  return own === lane8(lane) && rest.length > 3 ? rest.slice(0, 3).join('-') : null
}

export function nonce(): string {
  return randomBytes(8).toString('hex')
}

export interface LaneKeys {
  /** `_lakeward/<flow>/<object>/` */
  root: string
  commits: string
  hint: string
  plans: string
  units: string
  /** Quarantined records: outside every data prefix, and outside the folder an open lists. */
  quarantine: string
  /** Copies of documents that a repair replaced, outside the folder an open lists. */
  repairs: string
  entry(n: number): string
  outcome(n: number): string
  /** Says that an entry was delivered to a destination that is no lake. */
  receipt(n: number): string
  /** Folder of the working documents of that. */
  delivery(n: number): string
  plan(run: string): string
  /** The job of its export, and the ranges that it gave. */
  exported(run: string, what: 'job' | 'ranges'): string
  runUnits(run: string): string
  unit(run: string, range: string, id: string): string
  seenFolder: string
  /** What the lane has read when entry `n` of the run is `done`. */
  seen(n: number, run: string, digest: string): string
  /** Folder of the lane's staged files, where the store keeps them in one. */
  staged: string
  /** Folder in it of a run's staged files. */
  area(run: string): string
}

export function laneKeys(lane: Pick<Lane, 'flow' | 'object'>): LaneKeys {
  const name = `${segment(lane.flow)}/${segment(lane.object)}`
  const root = `_lakeward/${name}/`
  const commits = `${root}commits/`
  const plans = `${root}plans/`
  const units = `${root}units/`
  const seen = `${root}seen/`
  return {
    root,
    commits,
    hint: `${root}hint.json`,
    plans,
    units,
    quarantine: `_lakeward/_quarantine/${name}/`,
    repairs: `_lakeward/_repairs/${name}/`,
    entry: (n) => `${commits}${digits(n)}.json`,
    outcome: (n) => `${commits}${digits(n)}.outcome`,
    receipt: (n) => `${commits}${digits(n)}.delivered`,
    delivery: (n) => `${root}deliveries/${digits(n)}/`,
    plan: (run) => `${plans}${run}.json`,
    exported: (run, what) => `${plans}${run}.${what}`,
    runUnits: (run) => `${units}${run}/`,
    unit: (run, range, id) => `${units}${run}/${range}/${id}.json`,
    seenFolder: seen,
    seen: (n, run, digest) => `${seen}${digits(n)}-${run}-${digest}.json`,
    staged: `${root}staged`,
    area: (run) => `${root}staged/${run}`,
  }
}

/** Where events of a lane wait: outside the folder an open lists. */
export function eventKeys(lane: Pick<Lane, 'flow' | 'object'>) {
  const root = `_lakeward/_events/${segment(lane.flow)}/${segment(lane.object)}/`
  return {
    keptFolder: `${root}kept/`,
    kept: (ref: string) => `${root}kept/${ref}.jsonl`,
    idsFolder: `${root}ids/`,
  }
}

/** Keys, and beginnings of keys, that one flow touches: its documents and its data folder. */
export function keysOfFlow(flow: string, folder: string): string[] {
  const name = segment(flow)
  const own = ['', '_events/', '_quarantine/', '_repairs/'].map((part) => `_lakeward/${part}${name}/`)
  return [IDENTITY_KEY, ...own, `${joinKey(folder)}/`]
}

export function digits(n: number): string {
  if (!Number.isInteger(n) || n < 1 || n > MOST_ENTRIES) throw new RangeError(`${n} is no entry number`)
  return String(n).padStart(8, '0')
}

/** The part of a key below `commits/`; null for a file that is not the ledger's. */
export function parseCommitName(name: string): { n: number; part: 'entry' | 'outcome' | 'receipt' } | null {
  const match = NUMBER.exec(name)
  if (!match) return null
  return { n: Number(match[1]), part: PARTS[match[2] as keyof typeof PARTS] }
}

/** The number in a name below `seen/`; null for a file that is not the ledger's. */
export function parseSeenName(name: string): number | null {
  const match = SEEN.exec(name)
  return match ? Number(match[1]) : null
}

/** `<seq>-<nonce>`, the id of a unit in its range. */
export function unitId(seq: number): string {
  return `${String(seq).padStart(6, '0')}-${nonce()}`
}

/** Joins parts of a key; empty parts and outer slashes vanish. */
export function joinKey(...parts: string[]): string {
  return parts
    .map((part) => part.replace(/^\/+|\/+$/g, ''))
    .filter((part) => part !== '')
    .join('/')
}

/**
 * Whether run `a` of a lane began before run `b`. Runs of one workflow are ordered by their restart counter; two
 * workflows that began in the same millisecond are neither before nor after each other.
 */
export function isOlder(a: string, b: string): boolean {
  const [startA = '', idA = '', counterA = ''] = a.split('-')
  const [startB = '', idB = '', counterB = ''] = b.split('-')
  if (startA !== startB) return startA.length === startB.length ? startA < startB : startA.length < startB.length
  return idA === idB && Number(counterA) < Number(counterB)
}
