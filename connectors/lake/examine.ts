/**
 * A lane's ledger, looked at whole and document by document: what is damaged, what may be done about it, and what that
 * means. `repair.ts` carries it out.
 *
 * Laws
 * - Nothing is changed here, and nothing damaged ends the look: everything that is wrong is told at once.
 * - A number is never freed: a lost entry becomes a fence. What was committed is known by its outcome, or by the entry
 *   after it: a run takes its number only once all before it are decided, and notes on which `done` entry it stands.
 * - A document of a newer version is not damaged; this Lakeward just cannot judge it.
 */
import { decodeDocument, entryShape, identityShape, outcomeShape, planShape, unitShape } from './documents.ts'
import type { Shape } from './documents.ts'
import { LakeError } from './errors.ts'
import { AT_ONCE, inParallel } from './in-parallel.ts'
import { IDENTITY_KEY, laneKeys, parseCommitName } from './keys.ts'
import { afterLoss, whatBecameOf } from './losses.ts'
import type { CommitEntry, Entry, LakeLane, Outcome } from './protocol.ts'

export interface Damage {
  /** The document's key. */
  where: string
  what: string
  /** null: there is nothing safe that could be done here. */
  mend: Mend | null
  /** What the mend leaves, or what a person does instead; sentences. */
  means: string[]
}

export type Mend =
  /** Closes the number of a lost entry. Behind the highest number: `n` is the next. */
  | { do: 'fence'; n: number }
  /** Decides an entry anew. */
  | { do: 'decide'; entry: CommitEntry; outcome: 'done' | 'void' }
  /** Removes a document that is nobody's. `close`: the number that its run could still take is closed first. */
  | { do: 'remove'; key: string; close: number | null }
  | { do: 'identity'; id: string }

/** An entry's two documents as they are found. `lost`: why there is no entry to read. */
export interface Found {
  n: number
  entry: Entry | null
  lost: string | null
  outcome: Outcome | null
  /** Why the outcome that is there cannot be read. */
  unclear: string | null
  newer: boolean
}

export interface Examined {
  damages: Damage[]
  found: Found[]
}

/** Of numbers in a row without an entry. */
const MOST_MISSING = 1000

interface Listed {
  entries: Set<number>
  outcomes: Set<number>
  plans: string[]
  units: string[]
}

/** `doubted`: numbers of entries without outcome that are to be voided, whatever is found of them. */
export async function examine(at: LakeLane, doubted: number[] = []): Promise<Examined> {
  const listed = await list(at)
  const { highest, strays } = numbered(listed)
  const numbers = Array.from({ length: highest }, (_, index) => index + 1)
  const found = await inParallel(numbers, AT_ONCE, (n) => look(at, n))
  const damages: Damage[] = strays.map((n) => stray(at, n, highest, listed))
  for (const one of found) damages.push(...(await ofEntry(at, one, found, doubted.includes(one.n))))
  damages.push(...(await ofPlans(at, listed, highest)), ...(await ofUnits(at, listed)))
  damages.push(...(await ofIdentity(at, found)))
  return { damages, found }
}

async function list(at: LakeLane): Promise<Listed> {
  const keys = laneKeys(at.lane)
  const listed: Listed = { entries: new Set(), outcomes: new Set(), plans: [], units: [] }
  for await (const { key } of at.store.list(keys.root)) {
    if (key.startsWith(keys.plans) && key.endsWith('.json')) listed.plans.push(key)
    else if (key.startsWith(keys.units)) listed.units.push(key)
    const name = key.startsWith(keys.commits) ? parseCommitName(key.slice(keys.commits.length)) : null
    if (name?.part === 'entry') listed.entries.add(name.n)
    else if (name?.part === 'outcome') listed.outcomes.add(name.n)
  }
  return listed
}

/** The highest number, and those that no ledger comes to: so far behind the others that nobody would look between. */
function numbered({ entries, outcomes }: Listed): { highest: number; strays: number[] } {
  const numbers = [...new Set([...entries, ...outcomes])].toSorted((a, b) => a - b)
  const first = numbers.findIndex((n, at) => n - (numbers[at - 1] ?? 0) > MOST_MISSING)
  const strays = first < 0 ? [] : numbers.splice(first)
  return { highest: numbers.at(-1) ?? 0, strays }
}

function stray(at: LakeLane, n: number, highest: number, { entries }: Listed): Damage {
  const keys = laneKeys(at.lane)
  return {
    where: entries.has(n) ? keys.entry(n) : keys.outcome(n),
    what: `its number is ${n}, and the ledger ends with ${highest}: something else wrote it`,
    mend: null,
    means: ['No run skips numbers. Look whose it is, and move it away.'],
  }
}

async function look(at: LakeLane, n: number): Promise<Found> {
  const keys = laneKeys(at.lane)
  const entry = await read(at, keys.entry(n), entryShape)
  const outcome = await read(at, keys.outcome(n), outcomeShape)
  const found: Found = { n, entry: null, lost: null, outcome: null, unclear: null, newer: entry.newer || outcome.newer }
  if (entry.value?.n === n) found.entry = entry.value
  else if (entry.value) found.lost = `the file holds entry ${entry.value.n}`
  else found.lost = entry.wrong ?? `entry ${n} is missing from the ledger, and what comes after it is there`
  if (outcome.value?.n === n) found.outcome = outcome.value
  else if (outcome.value) found.unclear = `the file holds the outcome of entry ${outcome.value.n}`
  else found.unclear = outcome.wrong
  return found
}

interface Read<T> {
  value: T | null
  wrong: string | null
  newer: boolean
}

async function read<T>(at: LakeLane, key: string, shape: Shape<T>): Promise<Read<T>> {
  const bytes = await at.store.get(key)
  if (bytes === null) return { value: null, wrong: null, newer: false }
  try {
    return { value: decodeDocument(bytes, shape, key), wrong: null, newer: false }
  } catch (error) {
    if (!(error instanceof LakeError)) throw error
    return { value: null, wrong: error.what, newer: isNewer(bytes) }
  }
}

function isNewer(bytes: Uint8Array): boolean {
  try {
    const { version } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { version?: unknown }
    return typeof version === 'number' && version > 1
  } catch {
    return false
  }
}

async function ofEntry(at: LakeLane, one: Found, all: Found[], doubted: boolean): Promise<Damage[]> {
  const { n, entry, lost, outcome, unclear } = one
  const keys = laneKeys(at.lane)
  if (one.newer) return [newer(lost === null ? keys.outcome(n) : keys.entry(n), lost ?? unclear)]
  if (lost !== null) {
    return [{ where: keys.entry(n), what: lost, mend: { do: 'fence', n }, means: afterLoss(one, all) }]
  }
  if (entry?.kind === 'fence') {
    if (outcome === null && unclear === null) return []
    const mend: Mend = { do: 'remove', key: keys.outcome(n), close: null }
    const means = ['A fence decides nothing, so nothing is lost with it.']
    return [{ where: keys.outcome(n), what: `entry ${n} is a fence and has an outcome`, mend, means }]
  }
  if (entry?.kind !== 'commit' || outcome !== null) return []
  const files = await compareFiles(at, entry)
  if (unclear !== null) {
    return [{ where: keys.outcome(n), what: unclear, ...redecided(entry, files, whatBecameOf(one, all)) }]
  }
  const [foreign] = files.foreign
  if (foreign === undefined && !doubted) return []
  const mend: Mend = { do: 'decide', entry, outcome: 'void' }
  const what = foreign ?? `entry ${n} has no outcome, and is not to get done any more`
  return [{ where: keys.entry(n), what, mend, means: voided(entry, [...files.there, ...files.foreign]) }]
}

interface Files {
  there: string[]
  absent: string[]
  /** Sentences: files of other sizes than the entry says. */
  foreign: string[]
}

async function compareFiles(at: LakeLane, entry: CommitEntry): Promise<Files> {
  const files: Files = { there: [], absent: [], foreign: [] }
  await inParallel(entry.files, AT_ONCE, async ({ key, bytes, unit }) => {
    const object = await at.store.head(key)
    if (object === null) files.absent.push(key)
    else if (object.bytes === bytes && (object.unit ?? unit) === unit) files.there.push(key)
    else
      files.foreign.push(
        `${key} has ${object.bytes} bytes, and entry ${entry.n} says ${bytes}: something else wrote it`,
      )
  })
  return files
}

function redecided(
  entry: CommitEntry,
  files: Files,
  became: ReturnType<typeof whatBecameOf>,
): Omit<Damage, 'where' | 'what'> {
  const missing = [...files.absent.map((key) => `${key} is not there`), ...files.foreign]
  if (missing.length === 0 && became !== 'void') {
    const means = [`All ${entry.files.length} files of the entry are there: it is done, and nothing is lost.`]
    return { mend: { do: 'decide', entry, outcome: 'done' }, means }
  }
  if (became === 'done') {
    const means = [
      `The entry after it stands on it: it was done. These of its files are missing: ${missing.join('; ')}.`,
    ]
    return { mend: { do: 'decide', entry, outcome: 'done' }, means }
  }
  return { mend: { do: 'decide', entry, outcome: 'void' }, means: voided(entry, files.there) }
}

function voided(entry: CommitEntry, visible: string[]): string[] {
  const rows = entry.counts.written.toLocaleString('en')
  const gone = `What is visible of it is deleted (move away what you need): ${visible.join('; ')}.`
  return [
    `Entry ${entry.n} becomes void: its ${rows} rows do not count, the watermark goes back, and the next run reads them again.`,
    ...(visible.length > 0 ? [gone] : []),
  ]
}

async function ofPlans(at: LakeLane, { plans }: Listed, highest: number): Promise<Damage[]> {
  const damages: Damage[] = []
  for (const key of plans) {
    const { wrong, newer: isLater } = await read(at, key, planShape)
    if (wrong === null) continue
    const mend: Mend = { do: 'remove', key, close: highest + 1 }
    const means = [
      `Number ${highest + 1} is closed first, so that its run can commit nothing. What it staged is swept later.`,
    ]
    damages.push(isLater ? newer(key, wrong) : { where: key, what: wrong, mend, means })
  }
  return damages
}

/** Records of runs with a plan go with it, unread; the others are read when they are removed. */
async function ofUnits(at: LakeLane, { plans, units }: Listed): Promise<Damage[]> {
  const keys = laneKeys(at.lane)
  const planned = (key: string): boolean =>
    plans.includes(keys.plan(key.slice(keys.units.length).split('/')[0] as string))
  const damages: Damage[] = []
  for (const key of units.filter((unit) => !planned(unit))) {
    const { wrong, newer: isLater } = await read(at, key, unitShape)
    if (wrong === null) continue
    const means = ['Its run is over, and nothing of it counts.']
    damages.push(
      isLater ? newer(key, wrong) : { where: key, what: wrong, mend: { do: 'remove', key, close: null }, means },
    )
  }
  return damages
}

async function ofIdentity(at: LakeLane, found: Found[]): Promise<Damage[]> {
  const { value, wrong, newer: isLater } = await read(at, IDENTITY_KEY, identityShape)
  const ids = new Set(found.flatMap(({ entry }) => (entry?.kind === 'commit' ? entry.lakeId : [])))
  if (isLater) return [newer(IDENTITY_KEY, wrong)]
  if (value !== null || (wrong === null && ids.size === 0)) return []
  const what = wrong ?? "the lake's identity is missing, and the ledger names one"
  const [id] = ids
  if (id !== undefined && ids.size === 1) {
    const means = [`The entries name the lake ${id}: it gets that identity back.`]
    return [{ where: IDENTITY_KEY, what, mend: { do: 'identity', id }, means }]
  }
  const means = [
    'No entry of this object tells which it was: repair another object of this lake first, or restore the file.',
  ]
  return [{ where: IDENTITY_KEY, what, mend: null, means }]
}

function newer(where: string, what: string | null): Damage {
  const means = ['It was written by a newer Lakeward: use that one for this lake.']
  return { where, what: what ?? 'it is of a newer version', mend: null, means }
}
