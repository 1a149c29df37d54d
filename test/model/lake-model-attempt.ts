/**
 * How activities are written down: programs of steps. Each step is one call of the store, or what can be told from one;
 * between two steps anything may happen, and an attempt may stop for ever after any of them.
 *
 * A create and its read-back are one step: what was created once is never changed or removed, so it makes no difference
 * when it is read. An answer to a write is used nowhere (with the rule `readBack`), so a lost answer needs no step.
 */
import type { Activity } from './lake-model-rules.ts'
import type { Attempt, World } from './lake-model-state.ts'
import { fault } from './lake-model-state.ts'

export const activities: Activity[] = ['open', 'plan', 'extract', 'commit', 'close', 'cancel']

export interface Step {
  says: string
  /** It waits while this is false. */
  ready?(w: World, a: Attempt): boolean
  /** In how many ways it can go. */
  choices?(w: World, a: Attempt): number
  take(w: World, a: Attempt, choice: number): void
}
export type Program = Partial<Record<StepName, Step>>

/** Goes on with what called a sub-program. */
export type Resume = (w: World, a: Attempt) => void

export const stepNames = [
  'openList',
  'openLeftovers',
  'openFence',
  'openNumber',
  'plan',
  'stage',
  'record',
  'look',
  'preflight',
  'lookAgain',
  'create',
  'createdBlindly',
  'complete',
  'landed',
  'outcome',
  'voidAbort',
  'voidDelete',
  'deleteReplaced',
  'removeUpload',
  'removeDocuments',
  'hint',
  'cancelFence',
  'returned',
] as const
export type StepName = (typeof stepNames)[number]
const stepIndex = Object.fromEntries(stepNames.map((name, i) => [name, i])) as Record<StepName, number>

export function goTo(a: Attempt, step: StepName): void {
  a.set({ step: stepIndex[step] })
}

export function isAt(a: Attempt, step: StepName): boolean {
  return a.get('step') === stepIndex[step]
}

export function activityOf(a: Attempt): Activity {
  return activities[a.get('activity')]!
}

/** Ends the activity with an answer, which the workflow may accept or never see. */
export function answer(a: Attempt, verdict: number): void {
  const [n, base, file, range] = [a.get('n'), a.get('base'), a.get('file'), a.get('range')]
  const [cursor, last, bound, generation] = [a.get('cursor'), a.get('last'), a.get('bound'), a.get('generation')]
  const window = a.get('window')
  const activity = activityOf(a)
  a.forget()
  a.set({ verdict })
  if (activity === 'open') a.set({ n, base })
  if (activity === 'plan') a.set({ n, base, cursor, bound, generation, window })
  if (activity === 'extract') a.set({ file, range, cursor })
  if (activity === 'commit') a.set({ last })
  goTo(a, 'returned')
}

/** Creates entry n unless the number is taken. */
export function createEntry(w: World, n: number, fields: Parameters<World['setEntry']>[1]): void {
  if (n > w.c.most.entries) w.fault(fault.bounds)
  else if (!w.entry(n, 'kind')) w.setEntry(n, fields)
}
