/**
 * What an entry decided, carried out: by anyone, any number of times, until its outcome stands.
 *
 * Laws
 * - Every upload is completed without conditions. Absent is not yet lost: a completion in flight elsewhere looks the
 *   same, so the store's settle time passes first, and an outcome that appears meanwhile ends the wait.
 * - The outcome is created once, read back and obeyed, whoever wrote it and whatever was found here.
 * - `void`: all uploads are aborted first and completed files deleted after, so that nothing can appear behind the
 *   delete.
 * - The entry is made durable before its files become visible, and they before `done`: readers never see what a power
 *   cut could take the decision of.
 */
import { createOnce, outcomeShape, readDocument } from './documents.ts'
import { AT_ONCE, inParallel } from './in-parallel.ts'
import { laneKeys } from './keys.ts'
import type { CommitEntry, CommittedFile, LakeLane, ManifestFile, Outcome } from './protocol.ts'

const FIRST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 60_000

export async function rollForward(at: LakeLane, entry: CommitEntry): Promise<Outcome> {
  const outcome = (await readOutcome(at, entry.n)) ?? (await decide(at, entry))
  if (outcome.outcome === 'void') await clearVoid(at, entry)
  return outcome
}

/** What a void obliges to, any number of times. */
export async function clearVoid(at: LakeLane, entry: CommitEntry): Promise<void> {
  await inParallel(entry.files, AT_ONCE, (file) => at.store.abort(file))
  await deleteFiles(at, entry.files)
}

/** Deletes completed files and makes that durable. */
export async function deleteFiles(at: LakeLane, files: CommittedFile[]): Promise<void> {
  let deleted = 0
  await inParallel(files, AT_ONCE, async ({ key }) => {
    await at.store.delete(key)
    if (++deleted % 100 === 0) at.beat(`deleting files: ${deleted} of ${files.length}`)
  })
  await at.store.settle(files.map(({ key }) => key))
}

async function decide(at: LakeLane, entry: CommitEntry): Promise<Outcome> {
  const key = laneKeys(at.lane).entry(entry.n)
  await at.store.settle([key])
  const found = await completeAll(at, entry)
  if (found === 'decided') return (await readOutcome(at, entry.n)) as Outcome
  const about = { version: 1 as const, n: entry.n, writtenAt: new Date(at.now?.() ?? Date.now()).toISOString() }
  const outcome: Outcome =
    found.length === 0
      ? { ...about, outcome: 'done', manifest: manifestOf(entry) }
      : { ...about, outcome: 'void', why: lostText(found, entry) }
  return createOnce(at.store, laneKeys(at.lane).outcome(entry.n), outcome, outcomeShape)
}

/** The files that are lost, or that somebody else decided meanwhile. */
async function completeAll(at: LakeLane, entry: CommitEntry): Promise<CommittedFile[] | 'decided'> {
  let absent = entry.files
  const lost: CommittedFile[] = []
  for (let waited = 0, wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    const answers = await completeEach(at, entry, absent)
    lost.push(...absent.filter((_, index) => answers[index] === 'lost'))
    absent = absent.filter((_, index) => answers[index] === 'absent')
    // One lost file voids the entry: there is no sense in waiting for others.
    if (lost.length > 0 || absent.length === 0 || waited >= at.store.settleMs) return [...lost, ...absent]
    const pause = Math.min(wait, at.store.settleMs - waited)
    at.beat(`${absent.length} staged files of entry ${entry.n} are absent; waiting whether they still appear`)
    await at.sleep(pause)
    waited += pause
    if (await readOutcome(at, entry.n)) return 'decided'
  }
}

async function completeEach(at: LakeLane, entry: CommitEntry, files: CommittedFile[]) {
  let completed = 0
  return inParallel(files, AT_ONCE, async (file) => {
    const answer = await at.store.complete(file)
    completed += 1
    at.beat(`entry ${entry.n}: ${completed} of ${files.length} files are visible`)
    return answer
  })
}

export async function readOutcome(at: LakeLane, n: number): Promise<Outcome | null> {
  return readDocument(at.store, laneKeys(at.lane).outcome(n), outcomeShape)
}

/** What readers may read of an entry that is done. */
export function manifestOf(entry: CommitEntry): ManifestFile[] {
  return entry.files.filter((file) => !file.quarantine).map(({ key, bytes, rows }) => ({ key, bytes, rows }))
}

function lostText(lost: CommittedFile[], entry: CommitEntry): string {
  const [first] = lost
  return `${lost.length} of ${entry.files.length} staged files are gone, the first for ${first?.key}`
}
