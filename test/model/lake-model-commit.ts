/** Sections 5.2 to 5.4: plan, extractUnit and commit up to the entry. */
import type { Program } from './lake-model-attempt.ts'
import { answer, createEntry, goTo } from './lake-model-attempt.ts'
import { rollForward } from './lake-model-roll-forward.ts'
import type { Attempt, World } from './lake-model-state.ts'
import { entry, fault, outcome, result, upload } from './lake-model-state.ts'

interface Reading {
  from: number
  bound: number
  generation: number
  window: number
}

/** What a run reads that starts from the done entry `base` (0: none); null: nothing. */
function planFor(w: World, run: number, base: number): Reading | null {
  const spec = w.specs[run]!
  const window = base ? w.entry(base, 'window') : 0
  const mark = base ? w.entry(base, 'mark') : w.c.start
  const generation = base ? w.entry(base, 'generation') : 0
  if (base && !w.entry(base, 'last') && w.rules.finishUnfinished) {
    return { from: w.entry(base, 'cursor'), bound: w.entry(base, 'bound'), generation, window: 0 }
  }
  if (spec.kind === 'generation') {
    const from = window && w.rules.fullReadsWindows ? 0 : w.c.start
    return { from, bound: Math.max(mark, spec.bound), generation: generation + 1, window: 0 }
  }
  if (spec.kind === 'window') return window ? null : { from: 0, bound: w.c.start, generation, window: 1 }
  return spec.bound > mark ? { from: mark, bound: spec.bound, generation, window: 0 } : null
}

/** The entry that this commit writes. */
function commitEntry(w: World, a: Attempt) {
  const [base, last, window, files] = [a.get('base'), a.get('last'), a.get('window'), a.get('files')]
  const [generation, bound, cursor] = [a.get('generation'), a.get('bound'), a.get('cursor')]
  const moves = last && !(window && w.rules.windowKeepsWatermark)
  return {
    kind: entry.commit,
    run: a.run,
    files,
    last,
    generation,
    mark: moves ? bound : base ? w.entry(base, 'mark') : w.c.start,
    cursor: last ? 0 : cursor,
    bound: last ? 0 : bound,
    window: (base && w.entry(base, 'window')) || (last && window) ? 1 : 0,
  }
}

/** Same run, same last units, not a fence. */
function isMine(w: World, a: Attempt, n = a.get('number')): boolean {
  if (w.entry(n, 'kind') !== entry.commit || w.entry(n, 'run') !== a.run) return false
  return !w.rules.mineByUnits || w.entry(n, 'files') === a.get('files')
}

function saysLost(w: World, a: Attempt): void {
  if (isMine(w, a)) w.fault(fault.lostButCommitted)
  answer(a, result.lost)
}

/** commit goes on after the roll-forward of its entry. */
export function commitGoesOn(_: World, a: Attempt): void {
  answer(a, a.get('verdict') === outcome.done ? result.done : result.lost)
}

/** Without the fixed number: the highest seen + 1, unless the run's own entry is seen. */
function numberSeen(w: World, a: Attempt): number {
  for (let n = w.highest(); n > 0; n--) if (isMine(w, a, n)) return n
  return w.highest() + 1
}

/** Without the chain: every unit record of the run that no entry of its own names. */
function everyUnit(w: World, a: Attempt): number {
  let files = 0
  for (let k = 0; k < w.c.most.units; k++) if (w.unit(w.firstUnit(a.run) + k, 'record')) files |= 1 << k
  for (let n = w.highest(); n > 0; n--) {
    if (w.entry(n, 'kind') === entry.commit && w.entry(n, 'run') === a.run) files &= ~w.entry(n, 'files')
  }
  return files
}

/** Without a nonce an attempt's record takes the place of the one that another attempt wrote. */
function overwrite(w: World, a: Attempt): void {
  const first = w.firstUnit(a.run)
  const mine = first + a.get('file')
  for (let id = first; id < first + w.c.most.units; id++) {
    if (id === mine || !w.unit(id, 'record') || w.unit(id, 'range') !== w.unit(mine, 'range')) continue
    if (w.unit(id, 'previous') !== w.unit(mine, 'previous')) continue
    for (const field of ['upload', 'to'] as const) {
      const [before, now] = [w.unit(id, field), w.unit(mine, field)]
      w.setUnit(id, field, now)
      w.setUnit(mine, field, before)
    }
    w.setUnit(mine, 'record', 0)
    a.set({ file: id - first })
    return
  }
}

/** Sizes that a unit which starts at `from` can have. */
function unitSizes(w: World, from: number, end: number): number[] {
  const fit = w.c.unitRecords.filter((records) => from + records <= end)
  return fit.length ? fit : [end - from]
}

export const commitSteps: Program = {
  plan: {
    says: 'create the plan, read it back',
    take(w, a) {
      const [n, base] = [a.get('n'), a.get('base')]
      if (!w.plan(a.run, 'there')) {
        const reading = planFor(w, a.run, base)
        if (!reading) return answer(a, result.nothing)
        w.setPlan(a.run, { there: 1, n, base, ...reading })
      }
      const there = (field: 'n' | 'base' | 'from' | 'bound' | 'generation' | 'window') => w.plan(a.run, field)
      a.set({
        n: there('n'),
        base: there('base'),
        cursor: there('from'),
        bound: there('bound'),
        generation: there('generation'),
        window: there('window'),
      })
      answer(a, result.done)
    },
  },
  stage: {
    says: 'stage a file',
    choices: (w, a) => unitSizes(w, a.get('cursor'), a.get('last')).length,
    take(w, a, choice) {
      const k = w.findUpload(a.run, 0xff, upload.none)
      if (k < 0) return w.fault(fault.bounds)
      const from = a.get('cursor')
      const to = from + unitSizes(w, from, a.get('last'))[choice]!
      const [range, previous] = [a.get('range'), a.get('previous')]
      w.setUnits(w.firstUnit(a.run) + k, { upload: upload.staged, range, from, to, previous })
      a.set({ file: k, cursor: to })
      goTo(a, 'record')
    },
  },
  record: {
    says: 'create the unit record, read it back',
    take(w, a) {
      w.setUnit(w.firstUnit(a.run) + a.get('file'), 'record', 1)
      if (!w.rules.nonce) overwrite(w, a)
      answer(a, result.done)
    },
  },
  look: {
    says: 'GET the entry',
    take(w, a) {
      if (!w.rules.numberFromOpen) a.set({ number: numberSeen(w, a) })
      if (!w.rules.chain) a.set({ files: everyUnit(w, a) })
      a.set({ sawLoss: w.findUpload(a.run, a.get('files'), upload.expired) >= 0 ? 1 : 0 })
      if (isMine(w, a)) return rollForward(w, a, a.get('number'))
      if (w.entry(a.get('number'), 'kind')) return answer(a, result.conflict)
      goTo(a, w.rules.preflight ? 'preflight' : 'create')
    },
  },
  preflight: {
    says: 'walk the chain, LIST the uploads',
    take(w, a) {
      for (let k = 0; k < w.c.most.units; k++) {
        const id = w.firstUnit(a.run) + k
        const alive = w.unit(id, 'record') && w.unit(id, 'upload') === upload.staged
        if (!(a.get('files') & (1 << k)) || alive) continue
        return w.rules.lookAgain ? goTo(a, 'lookAgain') : saysLost(w, a)
      }
      goTo(a, 'create')
    },
  },
  lookAgain: {
    says: 'GET the entry once more',
    take(w, a) {
      if (isMine(w, a)) rollForward(w, a, a.get('number'))
      else saysLost(w, a)
    },
  },
  create: {
    says: 'create the entry, read it back',
    take(w, a) {
      const n = a.get('number')
      const free = n <= w.c.most.entries && !w.entry(n, 'kind')
      if (free && a.get('sawLoss')) w.fault(fault.knewOfLoss)
      createEntry(w, n, commitEntry(w, a))
      if (n > w.c.most.entries) return
      if (isMine(w, a) && !a.get('last') && !w.rules.stepsInOrder) answer(a, result.done)
      else if (isMine(w, a)) rollForward(w, a, n)
      else if (w.rules.readBack) answer(a, result.conflict)
      else goTo(a, 'createdBlindly')
    },
  },
  createdBlindly: {
    says: 'believe the entry to be mine and complete a file',
    take(w, a) {
      const k = w.findUpload(a.run, a.get('files'), upload.staged)
      if (k >= 0) w.setUnit(w.firstUnit(a.run) + k, 'upload', upload.visible)
      else answer(a, result.done)
    },
  },
}
