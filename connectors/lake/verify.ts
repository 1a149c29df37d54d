/**
 * What a lane's ledger says, beside what lies in the lake.
 *
 * Laws
 * - Nothing is changed. A run may be at work meanwhile: what is odd is looked at twice, and told if it stands.
 * - A fault is what readers or runs stumble over. What the next run finishes or removes by itself is told, and is none.
 */
import { examine, type Found } from './examine.ts'
import { fatesOf, type Fate } from './fates.ts'
import { laneKeys, parseCommitName, runOfFile } from './keys.ts'
import { leftoversOf, leftText } from './leftovers.ts'
import type { CommitEntry, Delivered, LakeLane } from './protocol.ts'
import { readReceipt } from './deliveries.ts'
import { manifestOf } from './roll-forward.ts'
import { canonical } from './canonical.ts'

export type FindingKind =
  /** A document of the ledger is missing, unreadable or at odds with the others. */
  | 'damaged'
  /** A file that an entry names is not there, is there though it should not be, or has another size. */
  | 'missing'
  | 'extra'
  | 'size'
  /** A committed entry is not carried out, or not delivered, or is void. */
  | 'unfinished'
  | 'undelivered'
  | 'void'
  /** What a run that is over has left: staged files, unit records, its plan. */
  | 'leftover'

export interface Finding {
  kind: FindingKind
  fault: boolean
  /** Key in the lake. */
  where: string
  /** One clause, and what becomes of it or what to do. */
  what: string
}

export interface Verified {
  /** The highest number. */
  entries: number
  /** Of the current generation, as readers are told. */
  files: number
  rows: number
  bytes: number
  /** What receipts say, of all entries; null: the lake is the destination. */
  delivered: Delivered | null
  findings: Finding[]
}

export interface VerifyPlace {
  /** Where the flow puts the lane's files now; files of entries may lie elsewhere too. */
  folder: string
  /** Others read the folder; else it holds what is on its way. */
  isLake: boolean
  /** A run of the lane goes on. */
  isBusy: boolean
}

export async function verifyLane(at: LakeLane, place: VerifyPlace): Promise<Verified> {
  const first = await look(at, place)
  if (first.findings.length === 0) return first
  const stood = new Set(first.findings.map(identityOf))
  const second = await look(at, place)
  return { ...second, findings: second.findings.filter((finding) => stood.has(identityOf(finding))) }
}

const identityOf = ({ kind, where }: Finding): string => `${kind} ${where}`

async function look(at: LakeLane, place: VerifyPlace): Promise<Verified> {
  const { damages, found } = await examine(at)
  const damaged = damages.map(({ where, what }): Finding => ({
    kind: 'damaged',
    fault: true,
    where,
    what: `${what}; see \`lakeward repair\``,
  }))
  const delivered = await receiptsOf(at, found)
  const fates = fatesOf(found, new Set(delivered.keys()))
  const folders = foldersOf(place.folder, fates)
  const own = namesOf(at, found)
  const findings = [
    ...damaged,
    ...found.flatMap((one) => ofEntry(at, one, found, delivered)),
    ...(await ofFiles(
      at,
      place,
      folders,
      fates,
      own,
      found.some(({ lost }) => lost !== null),
    )),
    ...(await leftovers(at, place, folders, fates, own)),
  ]
  const sums = [...delivered.values()]
  const isDelivered = found.some(({ entry }) => entry?.kind === 'commit' && entry.delivery)
  return { entries: found.length, ...current(found), delivered: isDelivered ? sum(sums) : null, findings }
}

async function receiptsOf(at: LakeLane, found: Found[]): Promise<Map<number, Delivered>> {
  const { commits } = laneKeys(at.lane)
  const receipts = new Map<number, Delivered>()
  if (!found.some(({ entry }) => entry?.kind === 'commit' && entry.delivery)) return receipts
  for await (const { key } of at.store.list(commits)) {
    const name = parseCommitName(key.slice(commits.length))
    const receipt = name?.part === 'receipt' ? await readReceipt(at, name.n) : null
    if (name && receipt) receipts.set(name.n, receipt.result)
  }
  return receipts
}

function sum(results: Delivered[]): Delivered {
  const total = (member: keyof Delivered): number => results.reduce((rows, result) => rows + result[member], 0)
  return {
    inserted: total('inserted'),
    updated: total('updated'),
    deleted: total('deleted'),
    rejected: total('rejected'),
  }
}

function current(found: Found[]): Pick<Verified, 'files' | 'rows' | 'bytes'> {
  const done = found.flatMap(({ entry, outcome }) =>
    entry?.kind === 'commit' && outcome?.outcome === 'done' ? [{ entry, manifest: outcome.manifest ?? [] }] : [],
  )
  const { generation = 0, since = 1 } = done.at(-1)?.entry.after ?? {}
  const files = done
    .filter(({ entry }) => entry.generation === generation && entry.n >= since)
    .flatMap(({ manifest }) => manifest)
  const total = (member: 'rows' | 'bytes'): number => files.reduce((all, file) => all + file[member], 0)
  return { files: files.length, rows: total('rows'), bytes: total('bytes') }
}

function ofEntry(at: LakeLane, one: Found, all: Found[], delivered: Map<number, Delivered>): Finding[] {
  const { n, entry, outcome, lost, unclear } = one
  if (entry?.kind !== 'commit' || lost !== null || unclear !== null) return []
  const keys = laneKeys(at.lane)
  const say = (kind: FindingKind, where: string, what: string, fault = false): Finding[] => [
    { kind, fault, where, what },
  ]
  if (outcome === null) {
    return say(
      'unfinished',
      keys.entry(n),
      `entry ${n} is committed and not all visible yet: the next run completes it`,
    )
  }
  if (outcome.outcome === 'void') {
    return say(
      'void',
      keys.outcome(n),
      `entry ${n} is void, nothing of it counts: ${outcome.why ?? 'its files were lost'}`,
    )
  }
  if (canonical(outcome.manifest ?? []) !== canonical(manifestOf(entry))) {
    return say('damaged', keys.outcome(n), `the manifest of entry ${n} names other files than the entry`, true)
  }
  const replaced = all.some(({ entry: later }) => isDone(later, all) && n < (later.replaces?.to ?? 0))
  if (!entry.delivery || delivered.has(n) || replaced) return []
  const { target, connection } = entry.delivery
  const what = `entry ${n} is still to be delivered to ${target} of ${connection}: the next run does`
  return say('undelivered', keys.entry(n), what)
}

function isDone(entry: Found['entry'], all: Found[]): entry is CommitEntry {
  return entry?.kind === 'commit' && all[entry.n - 1]?.outcome?.outcome === 'done'
}

/** Folders that hold, or held, what is committed, none inside another. */
function foldersOf(folder: string, fates: Map<string, Fate>): string[] {
  const data = [...fates].filter(([, { quarantine }]) => !quarantine)
  const all = [...new Set([folder, ...data.map(([key]) => key.slice(0, Math.max(0, key.lastIndexOf('/'))))])]
  const named = all.filter((one) => one !== '')
  return named.filter((one) => !named.some((other) => other !== one && one.startsWith(`${other}/`)))
}

/** How the names of the lane's own files begin, in whichever namespace its runs were. */
function namesOf(at: LakeLane, found: Found[]): (key: string) => string | null {
  const ids = found.flatMap(({ entry }) => (entry?.kind === 'commit' ? entry.namespaceId : []))
  const lanes = [...new Set([at.lane.namespaceId, ...ids])].map((namespaceId) => ({ ...at.lane, namespaceId }))
  return (key) => lanes.map((lane) => runOfFile(lane, key)).find((run) => run !== null) ?? null
}

/** A data file of some lane. */
const OURS = /^[0-9a-f]{8}-[0-9a-z]+-[^/-]{8}-\d+-[a-z0-9-]+-\d{6}-[0-9a-f]{16}\.[a-z0-9.]+$/

async function ofFiles(
  at: LakeLane,
  { isLake }: VerifyPlace,
  folders: string[],
  fates: Map<string, Fate>,
  runOf: (key: string) => string | null,
  isDamaged: boolean,
): Promise<Finding[]> {
  const there = new Map<string, number>()
  for (const folder of [...folders.map((one) => `${one}/`), laneKeys(at.lane).quarantine]) {
    for await (const { key, bytes } of at.store.list(folder)) {
      there.set(key, bytes)
      if (there.size % 1000 === 0) at.beat(`listing the lake: ${there.size.toLocaleString('en')} files`)
    }
  }
  const findings = [...fates].flatMap(([key, fate]) => ofFile(key, fate, there.get(key), isLake))
  for (const key of there.keys()) {
    if (fates.has(key) || key.startsWith(laneKeys(at.lane).quarantine)) continue
    const say = (fault: boolean, what: string): number => findings.push({ kind: 'extra', fault, where: key, what })
    const run = runOf(key)
    if (run !== null) say(isLake, `run ${run} wrote it, and no entry ${isDamaged ? 'that can be read ' : ''}names it`)
    else if (OURS.test(key.slice(key.lastIndexOf('/') + 1))) say(false, 'it is a file of another flow or object')
    else say(isLake, 'something else wrote it, and who reads the folder reads it too: move it away')
  }
  return findings
}

function ofFile(
  key: string,
  { n, bytes, is, why, quarantine }: Fate,
  there: number | undefined,
  isLake: boolean,
): Finding[] {
  const say = (kind: FindingKind, fault: boolean, what: string): Finding[] => [{ kind, fault, where: key, what }]
  if (is === 'open') return []
  if (is === 'gone') {
    if (there === undefined) return []
    return say('extra', isLake && !quarantine, `it is of entry ${n}, and ${why}: the next run deletes it`)
  }
  if (there === undefined) {
    if (quarantine) return say('missing', false, `quarantined records of entry ${n}: has somebody removed them?`)
    if (is === 'kept') return say('missing', false, `it is of entry ${n}, an earlier generation that was kept`)
    return say('missing', true, `entry ${n} is done and names it: restore it, or read its records again`)
  }
  if (there === bytes) return []
  const what = `it has ${there.toLocaleString('en')} bytes, and entry ${n} says ${bytes.toLocaleString('en')}`
  return say('size', true, `${what}: something else wrote it`)
}

async function leftovers(
  at: LakeLane,
  { isBusy }: VerifyPlace,
  folders: string[],
  fates: Map<string, Fate>,
  runOf: (key: string) => string | null,
): Promise<Finding[]> {
  const left = await leftoversOf(at, { isBusy, folders, runOf, isNamed: (key) => fates.has(key) })
  // A plan that cannot be read is damage, and told as such.
  const readable = left.filter(({ unreadable }) => unreadable === undefined)
  return readable.map((one) => {
    return { kind: 'leftover', fault: false, where: laneKeys(at.lane).plan(one.run), what: leftText(one) }
  })
}
