/**
 * The promise, checked from the outside: kill anything at any step, any number of times, and the records in the
 * manifests of `done` entries of the current generation equal the source's, each exactly once; what folder readers see
 * is what is committed; and nothing is left behind.
 */
import { expect } from 'vitest'
import { readLedger, readRecorded, stateOf } from '../../connectors/lake/ledger.ts'
import { currentFiles } from '../../connectors/lake/readers.ts'
import { lane8, laneKeys } from '../../connectors/lake/keys.ts'
import type { CommitEntry, LakeLane } from '../../connectors/lake/protocol.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { integerOf, isBad, isVisible } from './integers.ts'

export interface Expectation {
  /** A run ended well since the last trouble, and nobody works on the lane: nothing of dead runs may be left. */
  quiet?: boolean
  /** Runs of others whose leftovers stay. */
  except?: string[]
  prefix?: string
  /** Namespaces that have written to the lane, besides its own. */
  namespaces?: string[]
  /** The source's clock when it was read last, by a lane that looks back: what was not there yet is not due. */
  clock?: number
  /** Entries that came out void; without lost files there is none. */
  voids?: number | 'any'
}

export async function checkPromise(at: LakeLane, expected: Expectation = {}): Promise<{ integers: number[] }> {
  const { store } = at
  const entries = await allEntries(at)
  const { state, unfinished } = stateOf(await readLedger(at))
  const done = entries.filter(({ outcome }) => outcome === 'done').map(({ entry }) => entry)
  for (const { entry, outcome } of entries) if (expected.quiet) expect(outcome, `outcome of ${entry.n}`).not.toBeNull()

  const { voids = 0 } = expected
  if (voids !== 'any') expect(entries.filter(({ outcome }) => outcome === 'void').length, 'void entries').toBe(voids)

  let watermark: string | null = null
  for (const entry of done) {
    same(entry.before.watermark, watermark, `watermark before entry ${entry.n}`)
    ;({ watermark } = entry.after)
  }
  expect(state.watermark).toBe(watermark)

  const current = done.filter(({ generation }) => generation === state.generation)
  const files = await currentFiles(at)
  const integers = await integersIn(store, files)
  const quarantined = await integersIn(
    store,
    current.flatMap((entry) => entry.files.filter((file) => file.quarantine)),
  )
  const { clock } = expected
  const whole = current.filter(({ last }) => last).flatMap(integersOf)
  const due = clock === undefined ? whole : whole.filter((i) => isVisible(i, clock))
  if (unfinished) {
    expect(new Set(integers).size, 'each once').toBe(integers.length)
    expect(
      due.filter((i) => !isBad(i) && !integers.includes(i)),
      'lost',
    ).toEqual([])
  } else {
    sameList(sorted(integers), sorted(due.filter((i) => !isBad(i))), 'records in the manifests')
    sameList(sorted(quarantined), sorted(due.filter(isBad)), 'records in quarantine')
  }
  if (expected.quiet) {
    // Other lanes may have the same folder; a lane's files are known by the first part of their names.
    const own = [at.lane.namespaceId, ...(expected.namespaces ?? [])].map((namespaceId) =>
      lane8({ ...at.lane, namespaceId }),
    )
    const isOurs = (key: string): boolean => own.some((digits) => key.includes(`/${digits}-`))
    await checkVisible(at, done, expected.prefix ?? 'data/integers', isOurs)
    await checkLeftovers(at, expected.except ?? [], isOurs, state.seen?.key)
  }
  return { integers: sorted(integers) }
}

type Ours = (key: string) => boolean

interface Found {
  entry: CommitEntry
  outcome: 'done' | 'void' | null
}

async function allEntries(at: LakeLane): Promise<Found[]> {
  const { highest } = await readLedger(at)
  const found: Found[] = []
  for (let n = 1; n <= highest; n++) {
    const { entry, outcome } = await readRecorded(at, n)
    if (entry.kind === 'commit') found.push({ entry, outcome: outcome?.outcome ?? null })
  }
  return found
}

/** What the source holds of the entry's share. */
function integersOf({ runKind, before, after }: CommitEntry): number[] {
  const { window, kind } = runKind
  const from = window?.from ?? (kind === 'incremental' ? (before.watermark ?? after.origin) : after.origin)
  const to = window?.to ?? (after.watermark as string)
  const start = from === null ? 0 : integerOf(from)
  return Array.from({ length: Math.max(0, integerOf(to) - start) }, (_, i) => start + i)
}

async function integersIn(
  store: ObjectStore,
  files: { key: string; bytes: number; rows: number }[],
): Promise<number[]> {
  const all: number[] = []
  for (const { key, bytes, rows } of files) {
    const body = await store.get(key)
    same(body?.byteLength, bytes, `size of ${key}`)
    const lines = Buffer.from(body as Uint8Array)
      .toString()
      .split('\n')
      .slice(0, -1)
    same(lines.length, rows, `rows of ${key}`)
    all.push(...lines.map(Number))
  }
  return all
}

/** Readers that list folders see the files of `done` entries, but for those that a generation replaced. */
async function checkVisible(at: LakeLane, done: CommitEntry[], prefix: string, isOurs: Ours): Promise<void> {
  const replaced = (n: number): boolean =>
    done.some(({ replaces }) => replaces !== undefined && replaces.from <= n && n < replaces.to)
  const due = done.filter(({ n }) => !replaced(n)).flatMap(({ files }) => files.map(({ key }) => key))
  const seen: string[] = []
  for (const folder of [`${prefix}/`, laneKeys(at.lane).quarantine]) {
    for await (const { key } of at.store.list(folder)) if (isOurs(key)) seen.push(key)
  }
  sameList(sortedText(seen), sortedText(due), 'visible files')
}

async function checkLeftovers(at: LakeLane, except: string[], isOurs: Ours, seen?: string): Promise<void> {
  const { root, commits, hint, staged, seenFolder } = laneKeys(at.lane)
  const left: string[] = []
  const lately: string[] = []
  for await (const { key } of at.store.list(root)) {
    if (key.startsWith(seenFolder)) lately.push(key)
    else if (!key.startsWith(commits) && key !== hint) left.push(key)
  }
  if (seen) expect(lately, 'what was read lately').toContain(seen)
  // What an entry replaced, the next open removes.
  expect(lately.length, lately.join()).toBeLessThanOrEqual(2)
  for await (const { key } of at.store.staged(staged, '')) if (isOurs(key)) left.push(`staged ${key}`)
  expect(
    left.filter((key) => !except.some((run) => key.includes(run))),
    'left behind',
  ).toEqual([])
}

// An expectation costs more than all that is looked at here: it is made where it fails.
function same(found: unknown, due: unknown, what: string): void {
  if (found !== due) expect(found, what).toBe(due)
}

function sameList<T extends number | string>(found: T[], due: T[], what: string): void {
  if (found.length !== due.length || found.some((one, at) => one !== due[at])) expect(found, what).toEqual(due)
}

const sorted = (list: number[]): number[] => list.toSorted((a, b) => a - b)
const sortedText = (list: string[]): string[] => list.toSorted()
