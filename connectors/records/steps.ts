/** A step of a flow, compiled. Steps are typed and complete: `flow-steps.ts` has seen to that. */
import type { Step } from '../flow-steps.ts'
import type { Scope } from './scope.ts'
import { formatDate } from './steps-date.ts'
import { arithmetic } from './steps-number.ts'
import { cast, drop, keep, rename, set } from './steps-shape.ts'
import { concat, hash, mapValues, mask, truncate } from './steps-text.ts'
import { validate } from './steps-validate.ts'

type Kind<S> = S extends S ? keyof S : never
type Written<K> = Extract<Step, Record<K & string, unknown>> extends infer S ? S[K & keyof S] : never

const compilers: { [K in Kind<Step>]: (written: Written<K>, scope: Scope) => void } = {
  keep,
  drop,
  rename,
  cast,
  set,
  concat,
  arithmetic,
  truncate,
  formatDate,
  mapValues,
  hash,
  mask,
  validate,
}

/** Adds the step's work and names to the scope. Throws `InputError` with a place that begins with `at`. */
export function applyStep(step: Step, scope: Scope, at: string): void {
  for (const [kind, written] of Object.entries(step)) {
    scope.at = `${at}.${kind}`
    const compile = compilers[kind as Kind<Step>] as (written: unknown, scope: Scope) => void
    compile(written, scope)
  }
}
