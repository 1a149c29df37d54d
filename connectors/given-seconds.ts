/** Whole seconds that whoever runs the process may set. */
import { InputError } from './errors.ts'

export interface SecondsVariable {
  /** `LAKEWARD_SETTLE_SECONDS` */
  name: string
  least: number
  most: number
  /** What holds without it; for messages. */
  otherwise: number
}

/** What code gave, or else the environment; undefined without either. `InputError` for anything outside the limits. */
export function givenSeconds({ name, least, most, otherwise }: SecondsVariable, given?: number): number | undefined {
  const text = process.env[name]
  const seconds = given ?? (text === undefined ? undefined : Number(text))
  if (seconds === undefined || (Number.isInteger(seconds) && seconds >= least && seconds <= most)) return seconds
  const what = `${(given ?? text) || 'an empty text'} is no number of seconds from ${least} to ${most}`
  throw new InputError([{ what, where: name, advice: `Leave it out for ${otherwise}.` }])
}
