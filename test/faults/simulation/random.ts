/** Choices of a simulation: drawn from a seed, recorded as a tape, and played again from it. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** Mulberry32: 32 bits of state, one multiplication more than a linear congruence, and good enough to choose by. */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Each choice is a number below `many`, and 0 is the dull one: go on with whoever went last, without a fault. A tape
 * answers first; behind its end everything is dull, so a shorter tape is a simpler history.
 */
export class Choices {
  readonly taken: number[] = []
  readonly #draw: () => number
  readonly #tape: readonly number[] | null

  constructor(seed: number, tape: readonly number[] | null = null) {
    this.#draw = generator(seed)
    this.#tape = tape
  }

  /** `odds`: how probable it is that the choice is not dull. */
  choose(many: number, odds = 1): number {
    const drawn = this.#tape ? (this.#tape[this.taken.length] ?? 0) % many : this.#drawn(many, odds)
    this.taken.push(drawn)
    return drawn
  }

  #drawn(many: number, odds: number): number {
    return odds < 1 && this.#draw() >= odds ? 0 : Math.floor(this.#draw() * many)
  }
}

type Bytes = (size: number) => Buffer
let drawn: Bytes | null = null
const { randomBytes, randomUUID } = crypto

/** Nonces and identities from a seed while `work` goes on: names decide in which order things are listed. */
export async function withNoncesOf<T>(seed: number, work: () => Promise<T>): Promise<T> {
  const draw = generator(seed ^ 0x5eed)
  drawn = (size) => Buffer.from(Array.from({ length: size }, () => Math.floor(draw() * 256)))
  try {
    return await work()
  } finally {
    drawn = null
  }
}

const asIdentity = (digits: string): string => digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

// Replaced once: to tell all importers of a change costs more than a tenth of a history.
Object.assign(crypto, {
  randomBytes: (size: number) => drawn?.(size) ?? randomBytes(size),
  randomUUID: () => (drawn ? asIdentity(drawn(16).toString('hex')) : randomUUID()),
})
syncBuiltinESMExports()
