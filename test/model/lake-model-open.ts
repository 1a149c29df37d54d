/** Sections 5.1 and 5.6: open, cancel and close, and how all three remove what a run left. */
import type { Program } from './lake-model-attempt.ts'
import { activityOf, answer, createEntry, goTo } from './lake-model-attempt.ts'
import { cleanVoid, replacedFile, rollForward } from './lake-model-roll-forward.ts'
import type { Attempt, World } from './lake-model-state.ts'
import { bit, bits, entry, outcome, result, upload } from './lake-model-state.ts'

/** open, after its LIST: what is owed, oldest first, then the leftovers. Called again after each duty. */
export function openDuties(w: World, a: Attempt): void {
  if (a.get('number')) a.set({ known: a.get('known') | bit(a.get('number')), number: 0, verdict: 0 })
  const [from, high, known] = [a.get('tidied') + 1, a.get('high'), a.get('known')]
  for (let n = from; n <= high && w.rules.openRollsForward; n++) {
    if (w.entry(n, 'kind') === entry.commit && !(known & bit(n))) return rollForward(w, a, n)
  }
  for (let n = from; n <= high && w.rules.openCleansVoids; n++) {
    if (w.entry(n, 'outcome') !== outcome.void || !(known & bit(n))) continue
    a.set({ tidied: n, number: n })
    return cleanVoid(w, a, openDuties)
  }
  a.set({ tidied: 0 })
  if (w.rules.openDeletesReplaced && replacedFile(w, a) >= 0) return goTo(a, 'deleteReplaced')
  goTo(a, 'openLeftovers')
}

/** Runs that `a` may take for over and that left something, as bits. */
function leftovers(w: World, a: Attempt): number {
  const mine = w.specs[a.run]!
  let runs = 0
  for (let run = 0; run < w.at.runs; run++) {
    const older = w.specs[run]!.namespace === mine.namespace ? run < a.run : w.c.foreignIsOld
    if (!older || run === a.run) continue
    let left = w.plan(run, 'there') > 0
    for (let k = 0; k < w.c.most.units && w.rules.leftoversByName; k++) {
      const id = w.firstUnit(run) + k
      left ||= w.unit(id, 'record') > 0 || w.unit(id, 'upload') === upload.staged
    }
    if (left) runs |= 1 << run
  }
  return runs
}

/** Some upload to abort for this run's removal; -1: none. */
function uploadOf(w: World, run: number): number {
  const runs = w.rules.ownNamesOnly ? [run] : w.specs.map((_, any) => any)
  for (const any of runs) {
    const k = w.findUpload(any, 0xff, upload.staged)
    if (k >= 0) return w.firstUnit(any) + k
  }
  return -1
}

/** Removes what the runs in `older` left: uploads first, the plan last, so that what remains is found again. */
export function remove(w: World, a: Attempt): void {
  const older = a.get('older')
  if (!older) return removed(w, a)
  const run = 31 - Math.clz32(older & -older)
  goTo(a, activityOf(a) !== 'close' && uploadOf(w, run) >= 0 ? 'removeUpload' : 'removeDocuments')
}

function removed(w: World, a: Attempt): void {
  if (activityOf(a) === 'close' && w.c.hint) return goTo(a, 'hint')
  if (activityOf(a) !== 'open') return answer(a, result.done)
  a.set({ n: a.get('high') + 1 + a.get('fenced'), base: w.newestDone(a.get('high'), a.get('known'), false) })
  if (w.rules.oneList) answer(a, result.done)
  else goTo(a, 'openNumber')
}

/** cancel goes on after it rolled its own entry forward. */
export function cancelGoesOn(w: World, a: Attempt): void {
  const n = a.get('number')
  const next = a.get('verdict') === outcome.done && !w.entry(n, 'last') && w.rules.cancelFencesNextStep
  a.set({ number: next ? n + 1 : n, verdict: 0, high: 0, known: 0, older: 1 << a.run })
  if (next) goTo(a, 'cancelFence')
  else remove(w, a)
}

export const openSteps: Program = {
  openList: {
    says: 'LIST entries and outcomes',
    take(w, a) {
      a.forget()
      const before = w.c.hint ? Math.max(0, w.get(w.at.hint) - 1) : 0
      a.set({ high: w.highest(), known: w.outcomes(), tidied: before })
      openDuties(w, a)
    },
  },
  openLeftovers: {
    says: 'LIST what older runs left',
    take(w, a) {
      a.set({ older: leftovers(w, a) })
      if (a.get('older') && w.rules.fence) goTo(a, 'openFence')
      else remove(w, a)
    },
  },
  openFence: {
    says: 'create a fence, read it back',
    take(w, a) {
      const n = a.get('high') + 1
      createEntry(w, n, { kind: entry.fence, run: a.run })
      const won = w.entry(n, 'kind') === entry.fence && w.entry(n, 'run') === a.run
      if (!won && w.rules.readBack) return goTo(a, 'openList')
      const closed = bits(a.get('older')).filter((run) => !w.rules.removesOnlyClosed || w.plan(run, 'n') <= n)
      a.set({ fenced: 1, older: closed.reduce((set, run) => set | (1 << run), 0) })
      remove(w, a)
    },
  },
  openNumber: {
    says: 'LIST entries again, for the number',
    take(w, a) {
      a.set({ n: w.highest() + 1 })
      answer(a, result.done)
    },
  },
  removeUpload: {
    says: 'abort an upload of a run that is over',
    take(w, a) {
      const older = a.get('older')
      const id = uploadOf(w, 31 - Math.clz32(older & -older))
      if (id >= 0) w.setUnit(id, 'upload', upload.aborted)
      remove(w, a)
    },
  },
  removeDocuments: {
    says: 'remove units and plan of a run that is over',
    take(w, a) {
      const older = a.get('older')
      const run = 31 - Math.clz32(older & -older)
      for (let k = 0; k < w.c.most.units; k++) w.setUnit(w.firstUnit(run) + k, 'record', 0)
      w.clearPlan(run)
      a.set({ older: older & (older - 1) })
      remove(w, a)
    },
  },
  hint: {
    says: 'put the hint',
    take(w, a) {
      let hint = a.get('number')
      for (let n = hint; n > 0 && w.rules.hintStopsAtVoid; n--) {
        if (w.entry(n, 'outcome') === outcome.void) hint = n - 1
      }
      while (hint > 0 && w.entry(hint, 'outcome') !== outcome.done) hint--
      w.set(w.at.hint, hint)
      answer(a, result.done)
    },
  },
  cancelFence: {
    says: 'create a fence, read it back',
    take(w, a) {
      const n = a.get('number')
      createEntry(w, n, { kind: entry.fence, run: a.run })
      if (w.entry(n, 'kind') === entry.commit && w.entry(n, 'run') === a.run) return rollForward(w, a, n)
      a.set({ older: 1 << a.run })
      remove(w, a)
    },
  },
}
