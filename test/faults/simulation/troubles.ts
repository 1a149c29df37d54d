/** What may befall a call of the store, its process or its workflow; how often is drawn once for a world. */
import type { Choices } from './random.ts'

export const TROUBLES = [
  /** Nothing; the dull one. */
  'none',
  'the process dies before the call',
  'the process dies behind the call',
  /** An error of the store, and nothing happened. */
  'the call fails',
  /** The store did it, and the client saw an error. */
  'the answer is lost',
  /** A client that heard nothing asked again below the port. */
  'the call comes twice',
  /** The attempt is taken for dead and replaced, and goes on all the same. */
  'the heartbeat is late',
  'the workflow is terminated',
  'the workflow is cancelled',
  /** A rule of the store drops a staged file. */
  'an upload expires',
] as const

export type Trouble = (typeof TROUBLES)[number]

export interface Climate {
  /** Of a call to meet a trouble. */
  odds: number
  /** Which may be met. */
  troubles: readonly Trouble[]
}

export const fair: Climate = { odds: 0, troubles: ['none'] }

/** Storms of everything are rare histories of each; so most worlds have a few troubles only. */
export function climate(choices: Choices): Climate {
  const odds = [0.01, 0.03, 0.08, 0.2][choices.choose(4)]!
  const some = TROUBLES.slice(1).filter(() => choices.choose(2) === 1)
  return { odds, troubles: ['none', ...some] }
}

export function troubleAt(choices: Choices, { odds, troubles }: Climate): Trouble {
  if (odds === 0 || troubles.length === 1) return 'none'
  return troubles[choices.choose(troubles.length, odds)]!
}
