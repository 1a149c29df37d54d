/** A whole number given as a flag. */
import { InputError } from '../../connectors/errors.ts'
import { count } from '../terminal/numbers.ts'

export function whole(where: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new InputError([
    {
      where,
      what: `${JSON.stringify(text)} is no number from ${count(least)} to ${count(most)}`,
      advice: 'Give a whole number.',
    },
  ])
}
