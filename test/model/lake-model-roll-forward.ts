/** Section 5.5, and the duties that an outcome leaves: clean up a void, delete what a generation replaced. */
import type { Program, Resume } from './lake-model-attempt.ts'
import { activityOf, goTo } from './lake-model-attempt.ts'
import type { Attempt, World } from './lake-model-state.ts'
import { bits, outcome, upload } from './lake-model-state.ts'

/** Rolls entry n forward, then resumes; the attempt's `verdict` is then its outcome. */
export function rollForward(w: World, a: Attempt, n: number): void {
  a.set({ number: n, files: w.entry(n, 'files'), verdict: outcome.done })
  goTo(a, 'complete')
}

/** Cleans up the void at `number`, then resumes. A file that can change no more needs no call. */
export function cleanVoid(w: World, a: Attempt, resume: Resume): void {
  const [run, files] = [w.entry(a.get('number'), 'run'), w.entry(a.get('number'), 'files')]
  if (w.findUpload(run, files, upload.staged) >= 0) goTo(a, 'voidAbort')
  else if (w.findUpload(run, files, upload.visible) >= 0) goTo(a, 'voidDelete')
  else resume(w, a)
}

/** A visible file of an earlier generation than the one in force, by what this attempt knows; -1: none. */
export function replacedFile(w: World, a: Attempt): number {
  const newest = w.newestDone(a.get('high'), a.get('known'), w.rules.countsWithLast)
  for (let n = 1; n < newest; n++) {
    if (w.entry(n, 'outcome') !== outcome.done) continue
    if (w.entry(n, 'generation') >= w.entry(newest, 'generation')) continue
    const k = w.findUpload(w.entry(n, 'run'), w.entry(n, 'files'), upload.visible)
    if (k >= 0) return w.firstUnit(w.entry(n, 'run')) + k
  }
  return -1
}

const currentFile = (w: World, a: Attempt) => w.firstUnit(w.entry(a.get('number'), 'run')) + a.get('file')

export function rollForwardSteps(resume: Resume): Program {
  /** One visit of a file is over: it is there, or it is lost. One lost file decides. */
  const judged = (w: World, a: Attempt) => {
    if (w.unit(currentFile(w, a), 'upload') !== upload.visible) a.set({ verdict: outcome.void, files: 0 })
    a.set({ file: 0, asked: 0 })
    goTo(a, a.get('files') ? 'complete' : 'outcome')
  }
  return {
    complete: {
      says: 'complete a file',
      choices: (_, a) => bits(a.get('files')).length,
      take(w, a, choice) {
        const file = bits(a.get('files'))[choice]!
        a.set({ file, files: a.get('files') & ~(1 << file) })
        const id = currentFile(w, a)
        const found = w.unit(id, 'upload')
        const flies = w.c.flight !== 'none'
        if (found === upload.staged) w.setUnit(id, 'upload', flies ? upload.flying : upload.visible)
        a.set({ asked: found === upload.staged && flies ? 1 : 0 })
        if (a.get('asked') || (found === upload.flying && w.rules.settleBeforeVoid)) return goTo(a, 'landed')
        judged(w, a)
      },
    },
    landed: {
      says: 'have the answer, or have waited: look at the key',
      ready: (w, a) => {
        const outlasts = w.c.flight === 'outlasts' && !a.get('asked')
        return outlasts || w.unit(currentFile(w, a), 'upload') !== upload.flying
      },
      take: judged,
    },
    outcome: {
      says: 'create the outcome, read it back',
      take(w, a) {
        const n = a.get('number')
        if (!w.entry(n, 'outcome')) w.setEntry(n, { outcome: a.get('verdict') })
        if (w.rules.obeyOutcome && w.rules.readBack) a.set({ verdict: w.entry(n, 'outcome') })
        if (a.get('verdict') === outcome.void) return cleanVoid(w, a, resume)
        // open has its own place for this duty
        if (activityOf(a) !== 'open') a.set({ high: n, known: w.outcomes() })
        if (activityOf(a) !== 'open' && replacedFile(w, a) >= 0) return goTo(a, 'deleteReplaced')
        resume(w, a)
      },
    },
    voidAbort: {
      says: 'abort an upload of the void',
      take(w, a) {
        const run = w.entry(a.get('number'), 'run')
        const k = w.findUpload(run, w.entry(a.get('number'), 'files'), upload.staged)
        if (k >= 0) w.setUnit(w.firstUnit(run) + k, 'upload', upload.aborted)
        cleanVoid(w, a, resume)
      },
    },
    voidDelete: {
      says: 'delete a file of the void',
      take(w, a) {
        const run = w.entry(a.get('number'), 'run')
        const k = w.findUpload(run, w.entry(a.get('number'), 'files'), upload.visible)
        if (k >= 0) w.setUnit(w.firstUnit(run) + k, 'upload', upload.deleted)
        cleanVoid(w, a, resume)
      },
    },
    deleteReplaced: {
      says: 'delete a file of an earlier generation',
      take(w, a) {
        const id = replacedFile(w, a)
        if (id >= 0) w.setUnit(id, 'upload', upload.deleted)
        if (replacedFile(w, a) < 0) resume(w, a)
      },
    },
  }
}
