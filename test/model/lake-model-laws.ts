/**
 * What must hold in every state, and what an honest run must reach from every state.
 *
 * Readers take the manifests of done entries of the current generation: the generation of the newest done entry that
 * closed its plan. They may read again at any moment.
 */
import { isAt } from './lake-model-attempt.ts'
import { stepOf } from './lake-model-steps.ts'
import type { World } from './lake-model-state.ts'
import { entry, faultWords, outcome, phase, rescuers, upload } from './lake-model-state.ts'
import { accept, startRun } from './lake-model-workflow.ts'

/** Records from `startFrom`, or from the delivered window, up to the watermark. */
function expected(w: World, newest: number): [number, number] {
  if (!newest) return [w.c.start, w.c.start]
  return [w.entry(newest, 'window') ? 0 : w.c.start, w.entry(newest, 'mark')]
}

export function brokenLaw(w: World): string | null {
  const failed = faultWords[w.get(w.at.budget.fault)]
  if (failed) return failed
  const newest = w.newestDone(w.highest(), w.outcomes(), true)
  return ledgerLaw(w) ?? fileLaw(w, newest) ?? readerLaw(w, newest)
}

function ledgerLaw(w: World): string | null {
  const high = w.highest()
  for (let n = 1; n <= high; n++) {
    if (!w.entry(n, 'kind')) return 'the numbers have no gap'
    if (w.entry(n, 'outcome') !== outcome.void || w.c.flight === 'outlasts') continue
    if (w.findUpload(w.entry(n, 'run'), w.entry(n, 'files'), upload.expired) < 0) {
      return 'an entry is void only if the store itself lost an upload of it'
    }
  }
  for (let run = 0; run < w.at.runs; run++) {
    const said = w.run(run, 'said')
    if (said && w.entriesOf(run) > said - 1) return 'a run that was cancelled commits nothing any more'
  }
  return null
}

function fileLaw(w: World, newest: number): string | null {
  const current = newest ? w.entry(newest, 'generation') : 0
  for (let run = 0; run < w.at.runs; run++) {
    let named = 0
    for (let n = 1; n <= w.highest(); n++) {
      if (w.entry(n, 'kind') !== entry.commit || w.entry(n, 'run') !== run) continue
      const files = w.entry(n, 'files')
      named |= files
      if (w.entry(n, 'outcome') !== outcome.done || w.entry(n, 'generation') < current) continue
      for (let k = 0; k < w.c.most.units; k++) {
        if (files & (1 << k) && w.unit(w.firstUnit(run) + k, 'upload') !== upload.visible) {
          return 'every file of a done entry stays visible until a later generation replaces it'
        }
      }
    }
    if (w.findUpload(run, ~named, upload.visible, upload.flying) >= 0) return 'no file is visible that no entry names'
  }
  return null
}

function readerLaw(w: World, newest: number): string | null {
  const current = newest ? w.entry(newest, 'generation') : 0
  const times = Array.from({ length: w.c.records }, () => 0)
  for (let n = 1; n <= w.highest(); n++) {
    if (w.entry(n, 'outcome') === outcome.done && w.entry(n, 'generation') === current) countRows(w, n, times)
  }
  if (times.some((count) => count > 1)) return 'no record is in the manifests twice'
  const [from, to] = expected(w, newest)
  if (times.some((count, stamp) => stamp >= from && stamp < to && !count)) {
    return 'the watermark is never ahead of what is in the manifests'
  }
  return null
}

function countRows(w: World, n: number, times: number[]): void {
  for (let k = 0; k < w.c.most.units; k++) {
    if (!(w.entry(n, 'files') & (1 << k))) continue
    const id = w.firstUnit(w.entry(n, 'run')) + k
    for (let stamp = w.unit(id, 'from'); stamp < w.unit(id, 'to'); stamp++) times[stamp]!++
  }
}

/**
 * Everything under way stops, completes in flight land, and one honest run (after an unfinished plan: two) is left
 * alone: it must end with everything there, once, and nothing else. Depends on the lake alone.
 */
export function honestRun(before: World): string | null {
  const w = before.copy()
  w.b.fill(0, w.at.lake)
  for (let i = w.at.runs - rescuers; i < w.at.runs; i++) {
    startRun(w, i)
    for (let calls = 0; w.run(i, 'phase') === phase.active; calls++) {
      for (let id = 0; id < w.firstUnit(w.at.runs); id++) {
        if (w.unit(id, 'upload') === upload.flying) w.setUnit(id, 'upload', upload.visible)
      }
      const a = w.aliveAttempt()!
      if (calls > 200 || (!isAt(a, 'returned') && stepOf(a).ready?.(w, a) === false)) return 'an honest run can finish'
      if (isAt(a, 'returned')) accept(w, a)
      else stepOf(a).take(w, a, 0)
      const failed = w.get(w.at.budget.fault)
      if (failed) return faultWords[failed]!
    }
    if (w.run(i, 'said')) return 'an honest run can finish'
  }
  return finished(w)
}

function finished(w: World): string | null {
  const broken = brokenLaw(w)
  if (broken) return `${broken} (after an honest run)`
  const newest = w.newestDone(w.highest(), w.outcomes(), true)
  const [from, to] = expected(w, newest)
  if (to !== w.c.records) return 'an honest run reads everything'
  const visible = Array.from({ length: w.c.records }, () => 0)
  let staging = false
  for (let run = 0; run < w.at.runs; run++) {
    const own = w.specs[run]!.namespace === 0
    staging ||= own && w.plan(run, 'there') > 0
    for (let k = 0; k < w.c.most.units; k++) {
      const id = w.firstUnit(run) + k
      staging ||= own && (w.unit(id, 'upload') === upload.staged || w.unit(id, 'record') > 0)
      if (w.unit(id, 'upload') !== upload.visible) continue
      for (let stamp = w.unit(id, 'from'); stamp < w.unit(id, 'to'); stamp++) visible[stamp]!++
    }
  }
  if (visible.some((count, stamp) => count !== (stamp >= from ? 1 : 0))) {
    return 'after an honest run the visible files hold every record once'
  }
  for (let n = 1; n <= w.highest(); n++) {
    if (w.entry(n, 'kind') === entry.commit && !w.entry(n, 'outcome'))
      return 'after an honest run every entry is decided'
  }
  return staging ? 'after an honest run nothing stays staged' : null
}
