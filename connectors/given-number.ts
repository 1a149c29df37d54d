/** A whole number that whoever runs the process may set. */
import { InputError } from './errors.ts'

export interface NumberVariable {
  /** `LAKEWARD_SETTLE_SECONDS` */
  name: string
  /** `seconds` */
  of: string
  least: number
  most: number
  /** What holds without it; for messages. */
  otherwise: number | string
}

/** What code gave, or else the environment; undefined without either. `InputError` for anything outside the limits. */
export function givenNumber({ name, of, least, most, otherwise }: NumberVariable, given?: number): number | undefined {
  const text = process.env[name]
  const number = given ?? (text === undefined ? undefined : Number(text))
  if (number === undefined || (Number.isInteger(number) && number >= least && number <= most)) return number
  const what = `${(given ?? text) || 'an empty text'} is no number of ${of} from ${least} to ${most}`
  throw new InputError([{ what, where: name, advice: `Leave it out for ${otherwise}.` }])
}
