/**
 * The commit protocol of the lake as a model: its own text of the design, not of the code.
 *
 * Modelled: one lane's ledger (entries, fences, outcomes, plans, unit records, hint) and staged files; runs of one
 * namespace after each other and a run of a foreign one at the same time, each with its open, plan, units in one or two
 * ranges, commit in one or several entries, roll-forward, cancel, close and restart; attempts that die at any step or
 * time out and go on as zombies; answers that are lost; terminated, failed, cancelled and reset workflows; uploads that
 * expire; completes in flight; generations; from/to.
 *
 * Bounds: at most 4 run keys and two more for the honest runs at the end, 3 records, 8 entries, 5 units for each run,
 * 4 attempts at once; in each world of `lake-model-configurations.ts` one or two time-outs (each leaves a zombie), one
 * termination, cancellation, reset or expiry.
 *
 * Not modelled: time (a zombie may sleep for ever, a settle wait outlasts every complete in flight unless a world says
 * otherwise, a void is always younger than a day, the source's rows never change), the content of files, listings that
 * are passed by what they list, stores that are not create-once, quarantine, schemas, the identities of 5.10, replaces
 * without rows, `keepOld`, entries that only move a bound, tables, records. Units and plan of a run go in one step.
 *
 * The rules `removesOnlyClosed`, `leftoversByName`, `hintStopsAtVoid` and `resetTakesNewKey` say more than the design's
 * text: read to the letter, without them, it breaks a law, as `lake-rules.test.ts` shows.
 */
import { activityOf, isAt } from './lake-model-attempt.ts'
import type { Model } from './checker.ts'
import { brokenLaw, honestRun } from './lake-model-laws.ts'
import type { Configuration, Rules, RunSpec } from './lake-model-rules.ts'
import { allRules } from './lake-model-rules.ts'
import { show } from './lake-model-show.ts'
import type { Attempt } from './lake-model-state.ts'
import { rescuers, shapeOf, upload, World } from './lake-model-state.ts'
import { stepOf } from './lake-model-steps.ts'
import { accept, happenings } from './lake-model-workflow.ts'

export function lakeModel(c: Configuration, change: Partial<Rules> = {}): Model {
  const rules = { ...allRules, ...change }
  const honest: RunSpec = { name: 'honest run', namespace: 0, kind: 'incremental', bound: c.records }
  const specs = [...c.runs, ...Array.from({ length: rescuers }, () => honest)]
  const shape = shapeOf(c)
  const world = (bytes: Uint8Array) => new World(c, rules, shape, specs, bytes)
  const ends = new Map<string, string | null>()

  return {
    name: c.name,
    initial: new Uint8Array(shape.bytes),
    successors(state, emit) {
      const w = world(state)
      successors(w, (next, label) => {
        next.sortAttempts()
        emit(next.b, label)
      })
    },
    broken(state) {
      const w = world(state)
      const broken = brokenLaw(w)
      if (broken) return broken
      const lake = Buffer.from(state.buffer, state.byteOffset, shape.lake).toString('latin1')
      let end = ends.get(lake)
      if (end === undefined) ends.set(lake, (end = honestRun(w)))
      return end
    },
    show: (state) => show(world(state)),
  }
}

function successors(w: World, emit: (next: World, label: () => string) => void): void {
  // Nothing can come between an answer and its acceptance any more: to accept it at once leaves out no other end.
  const calm = !(['timeouts', 'terminations', 'cancels', 'resets'] as const).some((what) => w.left(what))
  const slots = Array.from({ length: w.c.most.attempts }, (_, slot) => slot)
  const returned = slots.filter((slot) => w.attempt(slot).alive && isAt(w.attempt(slot), 'returned'))
  for (const slot of [...returned, ...slots.filter((s) => !returned.includes(s))]) {
    const a = w.attempt(slot)
    if (!a.alive) continue
    const name = () => `${w.specs[a.run]!.name}${a.zombie ? ', zombie' : ''}: ${activityOf(a)}`
    if (isAt(a, 'returned')) {
      const next = w.branch()
      accept(next, next.attempt(slot))
      emit(next, () => `${name()}: the workflow accepts the answer`)
      if (calm) return
      continue
    }
    const step = stepOf(a)
    if (step.ready && !step.ready(w, a)) continue
    const choices = step.choices?.(w, a) ?? 1
    for (let choice = 0; choice < choices; choice++) {
      const next = w.branch()
      const mine: Attempt = next.attempt(slot)
      step.take(next, mine, choice)
      if (mine.zombie && isAt(mine, 'returned')) mine.end()
      emit(next, () => `${name()}: ${step.says}`)
    }
  }
  happenings(w, emit)
  for (let id = 0; id < w.firstUnit(w.c.runs.length); id++) {
    const name = () => `${w.specs[Math.floor(id / w.c.most.units)]!.name}'s upload ${id % w.c.most.units}`
    if (w.unit(id, 'upload') === upload.flying) {
      const next = w.branch()
      next.setUnit(id, 'upload', upload.visible)
      emit(next, () => `the complete of ${name()} lands`)
    }
    if (w.unit(id, 'upload') === upload.staged && w.left('expiries')) {
      const next = w.branch()
      next.spend('expiries')
      next.setUnit(id, 'upload', upload.expired)
      emit(next, () => `the store drops ${name()}`)
    }
  }
}
