/**
 * The workflows, sections 4 and 5.7, and what may happen to them: which activity comes next, attempts that time out,
 * runs that are terminated, cancelled, fail, restart with a new key or are reset.
 */
import { activities, activityOf, goTo, isAt } from './lake-model-attempt.ts'
import { remove } from './lake-model-open.ts'
import type { Activity } from './lake-model-rules.ts'
import type { Attempt, World } from './lake-model-state.ts'
import { fault, phase, result } from './lake-model-state.ts'

/** Last units of a run's chain that no entry of its own names yet, as bits. */
function chain(w: World, run: number): number {
  let files = 0
  for (let range = 0; range < w.c.ranges; range++) {
    let unit = w.range(run, range, 'unit')
    while (unit && !(w.run(run, 'committed') & (1 << (unit - 1)))) {
      files |= 1 << (unit - 1)
      unit = w.unit(w.firstUnit(run) + unit - 1, 'previous')
    }
  }
  return files
}

/** Where a range begins and ends; the first of two takes the larger half. */
function bounds(w: World, run: number, range: number): [number, number] {
  const [from, bound] = [w.run(run, 'from'), w.run(run, 'bound')]
  const middle = w.c.ranges === 2 ? from + Math.ceil((bound - from) / 2) : bound
  return range === 0 ? [from, middle] : [middle, bound]
}

const allRead = (w: World, run: number) =>
  Array.from({ length: w.c.ranges }, (_, range) => range).every(
    (range) => w.range(run, range, 'cursor') === bounds(w, run, range)[1],
  )

/** Makes `a` a fresh attempt of an activity, from what the workflow knows. */
function begin(w: World, a: Attempt, run: number, activity: Activity, range = 0): void {
  a.end()
  a.set({ run: run + 1, activity: activities.indexOf(activity) })
  const number = w.run(run, 'n') + w.run(run, 'steps')
  const own = 1 << run
  if (activity === 'open') goTo(a, 'openList')
  if (activity === 'plan') {
    a.set({ n: w.run(run, 'n'), base: w.run(run, 'base') })
    goTo(a, 'plan')
  }
  if (activity === 'extract') {
    const [, last] = bounds(w, run, range)
    a.set({ range, last, cursor: w.range(run, range, 'cursor'), previous: w.range(run, range, 'unit') })
    goTo(a, 'stage')
  }
  if (activity === 'commit') {
    const last = allRead(w, run) ? 1 : 0
    a.set({ number, last, files: chain(w, run), cursor: last ? 0 : w.range(run, 0, 'cursor') })
    a.set({ base: w.run(run, 'base'), bound: w.run(run, 'bound') })
    a.set({ generation: w.run(run, 'generation'), window: w.run(run, 'window') })
    goTo(a, 'look')
  }
  if (activity === 'close') {
    a.set({ number: w.c.hint ? number - 1 : 0, older: own })
    remove(w, a)
  }
  if (activity === 'cancel') {
    // it knows the run's first number only and finds the next by looking
    a.set(w.rules.cancelFence ? { number: w.run(run, 'n') } : { older: own })
    if (w.rules.cancelFence) goTo(a, 'cancelFence')
    else remove(w, a)
  }
}

function beginElsewhere(w: World, run: number, activity: Activity, range = 0): void {
  const a = w.freeAttempt()
  if (a) begin(w, a, run, activity, range)
  else w.fault(fault.bounds)
}

/** The next unit of a range, if there is one to read. */
function readOn(w: World, a: Attempt | null, run: number, range: number): boolean {
  if (w.range(run, range, 'cursor') >= bounds(w, run, range)[1]) return false
  if (a) begin(w, a, run, 'extract', range)
  else beginElsewhere(w, run, 'extract', range)
  return true
}

/** The first units of all ranges; the first range's in place of `a`. */
function startReading(w: World, a: Attempt | null, run: number): void {
  for (let range = 0; range < w.c.ranges; range++) w.setRange(run, range, { unit: 0, cursor: bounds(w, run, range)[0] })
  readOn(w, a, run, 0)
  if (w.c.ranges === 2) readOn(w, null, run, 1)
}

export function startRun(w: World, run: number): void {
  w.setRun(run, { phase: phase.active })
  beginElsewhere(w, run, 'open')
}

function endRun(w: World, run: number): void {
  const said = w.run(run, 'said')
  if (!w.left('resets')) w.clearRun(run)
  w.setRun(run, { phase: phase.ended, said })
}

/** The workflow accepts the answer of an activity and goes on. Only a current attempt's answer is ever accepted. */
export function accept(w: World, a: Attempt): void {
  const run = a.run
  const [verdict, n, base, file] = [a.get('verdict'), a.get('n'), a.get('base'), a.get('file')]
  const [range, cursor, last, bound] = [a.get('range'), a.get('cursor'), a.get('last'), a.get('bound')]
  const [generation, window] = [a.get('generation'), a.get('window')]
  switch (activityOf(a)) {
    case 'open':
      w.setRun(run, { n, base })
      return begin(w, a, run, 'plan')
    case 'plan': {
      if (verdict === result.nothing) return over(w, a)
      w.setRun(run, { n, base, from: cursor, bound, generation, window })
      return startReading(w, a, run)
    }
    case 'extract':
      w.setRange(run, range, { unit: file + 1, cursor })
      if (w.c.steps) return begin(w, a, run, 'commit')
      if (readOn(w, a, run, range)) return
      if (allRead(w, run)) return begin(w, a, run, 'commit')
      return a.end()
    case 'commit':
      if (verdict !== result.done) return restart(w, a)
      w.setRun(run, { committed: w.run(run, 'committed') | chain(w, run), steps: w.run(run, 'steps') + 1 })
      if (last) begin(w, a, run, 'close')
      else readOn(w, a, run, 0)
      return
    case 'cancel':
      w.setRun(run, { said: 1 + w.entriesOf(run) })
      return over(w, a)
    case 'close':
      return over(w, a)
  }
}

function over(w: World, a: Attempt): void {
  endRun(w, a.run)
  a.end()
}

/** The run key under which a run would go on; -1: none is left in this world. */
function spareKey(w: World, run: number): number {
  const again = w.specs.findIndex((spec) => spec.name === w.specs[run]!.restarts)
  return again >= 0 && w.run(again, 'phase') === phase.waiting ? again : -1
}

/** The lane starts again under a new run key; a run that has none left fails, with clean-up. */
function restart(w: World, a: Attempt): void {
  const run = a.run
  const again = spareKey(w, run)
  if (again < 0) return begin(w, a, run, 'cancel')
  over(w, a)
  startRun(w, again)
}

/** Its attempts no longer count; they may go on as zombies. */
function abandon(w: World, run: number): void {
  for (let slot = 0; slot < w.c.most.attempts; slot++) {
    const a = w.attempt(slot)
    if (!a.alive || a.run !== run || a.zombie) continue
    if (w.c.zombies.includes(activityOf(a)) && !isAt(a, 'returned')) a.set({ zombie: 1 })
    else a.end()
  }
}

type Emit = (next: World, label: () => string) => void

/** What may happen to the workflows from outside. */
export function happenings(w: World, emit: Emit): void {
  for (let slot = 0; slot < w.c.most.attempts; slot++) timeOut(w, slot, emit)
  for (let run = 0; run < w.c.runs.length; run++) {
    const name = w.specs[run]!.name
    const change = (says: string, make: (next: World) => void) => {
      const next = w.branch()
      make(next)
      emit(next, () => `${name}: ${says}`)
    }
    if (w.run(run, 'phase') === phase.waiting && mayStart(w, run)) change('starts', (next) => startRun(next, run))
    const active = w.run(run, 'phase') === phase.active
    if (active && w.left('terminations')) {
      change('is terminated', (next) => {
        next.spend('terminations')
        abandon(next, run)
        endRun(next, run)
      })
    }
    if (active && w.left('cancels') && w.run(run, 'n') && !cleaningUp(w, run)) {
      change('is cancelled, or fails for good', (next) => {
        next.spend('cancels')
        abandon(next, run)
        beginElsewhere(next, run, 'cancel')
      })
    }
    if (w.left('resets') && (active || (w.run(run, 'phase') === phase.ended && laneIsFree(w, run)))) {
      const again = w.rules.resetTakesNewKey ? spareKey(w, run) : run
      if (again >= 0) change('is reset to before its open', (next) => resetToOpen(next, run, again))
      if (w.run(run, 'bound')) change('is reset to after its plan', (next) => resetToPlan(next, run))
    }
  }
}

function resetToOpen(w: World, run: number, again: number): void {
  w.spend('resets')
  abandon(w, run)
  endRun(w, run)
  w.setRun(again, { said: 0 })
  startRun(w, again)
}

/** It keeps its number and reads again, perhaps in other units. */
function resetToPlan(w: World, run: number): void {
  w.spend('resets')
  abandon(w, run)
  w.setRun(run, { phase: phase.active, steps: 0, committed: 0, said: 0 })
  startReading(w, null, run)
}

const laneIsFree = (w: World, run: number) =>
  w.specs.every((spec, i) => spec.namespace !== w.specs[run]!.namespace || w.run(i, 'phase') !== phase.active)

function mayStart(w: World, run: number): boolean {
  const isRestart = (name: string) => w.specs.some((spec) => spec.restarts === name)
  if (isRestart(w.specs[run]!.name) || !laneIsFree(w, run)) return false
  return w.specs.every(
    (spec, i) =>
      i >= run ||
      spec.namespace !== w.specs[run]!.namespace ||
      isRestart(spec.name) ||
      w.run(i, 'phase') === phase.ended,
  )
}

/** A run that has committed all, or is being cancelled, is cancelled no more. */
function cleaningUp(w: World, run: number): boolean {
  for (let slot = 0; slot < w.c.most.attempts; slot++) {
    const a = w.attempt(slot)
    if (a.alive && a.run === run && !a.zombie && ['close', 'cancel'].includes(activityOf(a))) return true
  }
  return false
}

/**
 * An attempt dies, or is given up and goes on as a zombie; the workflow starts another. Its answer may be what is lost.
 */
function timeOut(w: World, slot: number, emit: Emit): void {
  const late = w.attempt(slot)
  if (!late.alive || late.zombie || !w.left('timeouts')) return
  const next = w.branch()
  next.spend('timeouts')
  const a = next.attempt(slot)
  const [run, activity, range] = [a.run, activityOf(a), a.get('range')]
  const free = next.freeAttempt()
  if (free && w.c.zombies.includes(activity) && !isAt(a, 'returned')) {
    a.set({ zombie: 1 })
    begin(next, free, run, activity, range)
  } else {
    begin(next, a, run, activity, range)
  }
  emit(next, () => `${w.specs[run]!.name}: an attempt of ${activity} times out, another begins`)
}
