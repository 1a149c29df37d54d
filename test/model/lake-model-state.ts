/**
 * A state of the world as bytes, and the words to speak of it: the lane's ledger, plans, units and uploads; the
 * workflows; the attempts under way. Times, sizes and names are left out: an upload is named by its run and its place
 * in order of creation, a record by its stamp.
 */
import type { Configuration, Rules, RunSpec } from './lake-model-rules.ts'

export const upload = { none: 0, staged: 1, flying: 2, visible: 3, aborted: 4, expired: 5, deleted: 6 }
export const uploadWords = ['none', 'staged', 'completing', 'visible', 'aborted', 'expired', 'deleted']
export const entry = { none: 0, fence: 1, commit: 2 }
export const outcome = { none: 0, done: 1, void: 2 }
export const phase = { waiting: 0, active: 1, ended: 2 }
export const result = { done: 1, conflict: 2, lost: 3, nothing: 4 }
export const fault = { none: 0, bounds: 1, lostButCommitted: 2, knewOfLoss: 3 }
export const faultWords = [
  '',
  'the bounds of this configuration are too small',
  'StagedDataLost is never said of a run that has committed',
  'no entry names an upload that was lost before its commit began',
]

/** A column of `length` bytes for each name. */
function columns<T extends string>(names: readonly T[], length: number, from: number): Record<T, number> {
  return Object.fromEntries(names.map((name, i) => [name, from + i * length])) as Record<T, number>
}

const entryFields = [
  'kind',
  'outcome',
  'run',
  'files',
  'last',
  'generation',
  'mark',
  'cursor',
  'bound',
  'window',
] as const
const planFields = ['there', 'n', 'base', 'from', 'bound', 'generation', 'window'] as const
const unitFields = ['upload', 'record', 'range', 'from', 'to', 'previous'] as const
const runFields = ['phase', 'n', 'base', 'from', 'bound', 'generation', 'window', 'steps', 'committed', 'said'] as const
const rangeFields = ['unit', 'cursor'] as const
const budgetFields = ['timeouts', 'terminations', 'cancels', 'expiries', 'resets', 'fault'] as const
const attemptFields = [
  'run',
  'activity',
  'step',
  'zombie',
  'high',
  'known',
  'older',
  'number',
  'file',
  'verdict',
  'files',
  'cursor',
  'range',
  'previous',
  'fenced',
  'asked',
  'sawLoss',
  'tidied',
  'last',
  'n',
  'base',
  'bound',
  'generation',
  'window',
] as const
type Budget = 'timeouts' | 'terminations' | 'cancels' | 'expiries' | 'resets'
export type AttemptField = (typeof attemptFields)[number]
export const attemptBytes = attemptFields.length

export type Shape = ReturnType<typeof shapeOf>

export function shapeOf(c: Configuration) {
  const runs = c.runs.length + rescuers
  const [n, r, u, a] = [c.most.entries + 1, runs, runs * c.most.units, c.most.attempts]
  let size = 0
  const take = (bytes: number) => (size += bytes) - bytes
  const shape = {
    runs,
    entry: columns(entryFields, n, take(entryFields.length * n)),
    plan: columns(planFields, r, take(planFields.length * r)),
    unit: columns(unitFields, u, take(unitFields.length * u)),
    hint: take(1),
    /** What stands before this is the lake; what follows, those that work on it. */
    lake: size,
    run: columns(runFields, r, take(runFields.length * r)),
    range: columns(rangeFields, r * 2, take(rangeFields.length * r * 2)),
    budget: columns(budgetFields, 1, take(budgetFields.length)),
    attempts: take(a * attemptBytes),
  }
  return { ...shape, bytes: Math.ceil(size / 4) * 4 }
}

/** The bit of entry n in a set of entries. */
export const bit = (n: number) => 1 << (n - 1)

/** The members of a set of numbers below 8. */
export const bits = (set: number) => sets[set]!
const sets = Array.from({ length: 256 }, (_, set) => [0, 1, 2, 3, 4, 5, 6, 7].filter((k) => set & (1 << k)))

/** Runs kept back for the question "can an honest run still finish?"; an unfinished plan takes two. */
export const rescuers = 2

export class World {
  readonly c: Configuration
  readonly rules: Rules
  readonly at: Shape
  readonly b: Uint8Array
  readonly specs: RunSpec[]

  constructor(c: Configuration, rules: Rules, at: Shape, specs: RunSpec[], bytes: Uint8Array) {
    this.c = c
    this.rules = rules
    this.at = at
    this.specs = specs
    this.b = bytes
  }

  copy(): World {
    return new World(this.c, this.rules, this.at, this.specs, this.b.slice())
  }
  #branch: World | undefined
  /** A copy to be changed, until the next one is asked for. */
  branch(): World {
    this.#branch ??= this.copy()
    this.#branch.b.set(this.b)
    return this.#branch
  }

  get(at: number): number {
    return this.b[at]!
  }
  set(at: number, value: number): void {
    this.b[at] = value
  }

  entry(n: number, field: (typeof entryFields)[number]): number {
    return this.b[this.at.entry[field] + n]!
  }
  setEntry(n: number, fields: Partial<Record<(typeof entryFields)[number], number>>): void {
    for (const field in fields) this.b[this.at.entry[field as 'kind'] + n] = fields[field as 'kind']!
  }
  /** Highest number taken; 0: none. */
  highest(): number {
    let n = this.c.most.entries
    while (n > 0 && this.entry(n, 'kind') === entry.none) n--
    return n
  }
  /** How many entries of a run, fences left out, there are. */
  entriesOf(run: number): number {
    let count = 0
    for (let n = this.highest(); n > 0; n--) {
      if (this.entry(n, 'kind') === entry.commit && this.entry(n, 'run') === run) count++
    }
    return count
  }
  /** The entries of which an outcome is known, as bits. */
  outcomes(): number {
    let set = 0
    for (let n = 1; n <= this.c.most.entries; n++) if (this.entry(n, 'outcome')) set |= bit(n)
    return set
  }
  /** Newest done entry up to `high` among those in `known`; with `last`, that closed its plan. 0: none. */
  newestDone(high: number, known: number, last: boolean): number {
    for (let n = high; n > 0; n--) {
      if (known & bit(n) && this.entry(n, 'outcome') === outcome.done && (!last || this.entry(n, 'last'))) return n
    }
    return 0
  }

  plan(run: number, field: (typeof planFields)[number]): number {
    return this.b[this.at.plan[field] + run]!
  }
  setPlan(run: number, fields: Partial<Record<(typeof planFields)[number], number>>): void {
    for (const field in fields) this.b[this.at.plan[field as 'n'] + run] = fields[field as 'n']!
  }
  clearPlan(run: number): void {
    for (const field of planFields) this.b[this.at.plan[field] + run] = 0
  }

  unit(id: number, field: (typeof unitFields)[number]): number {
    return this.b[this.at.unit[field] + id]!
  }
  setUnit(id: number, field: (typeof unitFields)[number], value: number): void {
    this.b[this.at.unit[field] + id] = value
  }
  setUnits(id: number, fields: Partial<Record<(typeof unitFields)[number], number>>): void {
    for (const field in fields) this.b[this.at.unit[field as 'to'] + id] = fields[field as 'to']!
  }
  /** The units of a run are numbered from here. */
  firstUnit(run: number): number {
    return run * this.c.most.units
  }
  /** The first unit of the run's in `among` (bits, from `from` on) whose upload is in one of two states; -1: none. */
  findUpload(run: number, among: number, state: number, other = state, from = 0): number {
    for (let k = from; k < this.c.most.units; k++) {
      if (!(among & (1 << k))) continue
      const is = this.unit(this.firstUnit(run) + k, 'upload')
      if (is === state || is === other) return k
    }
    return -1
  }

  run(run: number, field: (typeof runFields)[number]): number {
    return this.b[this.at.run[field] + run]!
  }
  setRun(run: number, fields: Partial<Record<(typeof runFields)[number], number>>): void {
    for (const field in fields) this.b[this.at.run[field as 'n'] + run] = fields[field as 'n']!
  }
  clearRun(run: number): void {
    for (const field of runFields) this.b[this.at.run[field] + run] = 0
    for (const range of [0, 1]) this.setRange(run, range, { unit: 0, cursor: 0 })
  }
  range(run: number, range: number, field: (typeof rangeFields)[number]): number {
    return this.b[this.at.range[field] + run * 2 + range]!
  }
  setRange(run: number, range: number, fields: Partial<Record<(typeof rangeFields)[number], number>>): void {
    for (const field in fields) this.b[this.at.range[field as 'unit'] + run * 2 + range] = fields[field as 'unit']!
  }

  left(what: Budget): boolean {
    return this.b[this.at.budget[what]]! < this.c.most[what]
  }
  spend(what: Budget): void {
    this.b[this.at.budget[what]]!++
  }
  fault(kind: number): void {
    this.b[this.at.budget.fault] = kind
  }

  attempt(slot: number): Attempt {
    return new Attempt(this, this.at.attempts + slot * attemptBytes)
  }
  /** A free slot, or null. */
  freeAttempt(): Attempt | null {
    for (let slot = 0; slot < this.c.most.attempts; slot++) {
      const attempt = this.attempt(slot)
      if (!attempt.alive) return attempt
    }
    return null
  }

  aliveAttempt(): Attempt | null {
    for (let slot = 0; slot < this.c.most.attempts; slot++) {
      const attempt = this.attempt(slot)
      if (attempt.alive) return attempt
    }
    return null
  }

  /** Attempts in one order, so that who came first makes no other state. */
  sortAttempts(): void {
    const { b, at, c } = this
    const key = (slot: number, i: number) => b[at.attempts + slot * attemptBytes + i]!
    for (let i = 1; i < c.most.attempts; i++) {
      for (let j = i; j > 0; j--) {
        let order = 0
        for (let k = 0; k < attemptBytes && !order; k++) order = key(j - 1, k) - key(j, k)
        if (order >= 0) break
        for (let k = 0; k < attemptBytes; k++) {
          const upper = at.attempts + (j - 1) * attemptBytes + k
          const lower = upper + attemptBytes
          const byte = b[upper]!
          b[upper] = b[lower]!
          b[lower] = byte
        }
      }
    }
  }
}

const offset = columns(attemptFields, 1, 0)

/** One attempt of an activity: where it stands and what it remembers. */
export class Attempt {
  readonly w: World
  readonly at: number

  constructor(w: World, at: number) {
    this.w = w
    this.at = at
  }
  get(field: AttemptField): number {
    return this.w.b[this.at + offset[field]]!
  }
  set(fields: Partial<Record<AttemptField, number>>): void {
    for (const field in fields) this.w.b[this.at + offset[field as 'n']] = fields[field as 'n']!
  }
  get alive(): boolean {
    return this.get('run') !== 0
  }
  /** Index of its run. */
  get run(): number {
    return this.get('run') - 1
  }
  get zombie(): boolean {
    return this.get('zombie') === 1
  }
  /** Forgets all but who it is; what it no longer needs must not tell states apart. */
  forget(): void {
    this.w.b.fill(0, this.at + offset.high, this.at + attemptBytes)
  }
  end(): void {
    this.w.b.fill(0, this.at, this.at + attemptBytes)
  }
}
