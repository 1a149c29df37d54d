import { describe, expect, it } from 'vitest'
import type { Model } from './checker.ts'
import { explore } from './checker.ts'

/** A counter for each of two walkers on a line of `size` places. */
function walkers(size: number, broken: (a: number, b: number) => boolean): Model {
  return {
    name: 'walkers',
    initial: new Uint8Array(4),
    successors(state, emit) {
      for (const who of [0, 1]) {
        if (state[who] === size - 1) continue
        const next = state.slice()
        next[who]!++
        emit(next, () => `walker ${who} steps`)
      }
    },
    broken: ([a = 0, b = 0]) => (broken(a, b) ? 'never there' : null),
    show: ([a, b]) => [`0 at ${a}`, `1 at ${b}`],
  }
}

/** Two processes that enter a room; with the flag looked at before it is set, both can be in. */
function room(looksFirst: boolean): Model {
  const IN = 3
  return {
    name: 'room',
    initial: new Uint8Array(4),
    successors(state, emit) {
      for (const who of [0, 1]) {
        const other = state[1 - who]!
        const next = state.slice()
        const says = ['looks', 'sets its flag', 'enters', 'leaves'][state[who]!]!
        if (!looksFirst && state[who] === 0) next[who] = 2
        else if (looksFirst && state[who] === 0 && other < 2) next[who] = 1
        else if (state[who] === 1) next[who] = 2
        else if (state[who] === 2 && (looksFirst || other === 0)) next[who] = IN
        else if (state[who] === IN) next[who] = 0
        else continue
        emit(next, () => `${who} ${says}`)
      }
    },
    broken: ([a, b]) => (a === IN && b === IN ? 'one at a time' : null),
    show: () => [],
  }
}

describe('the model checker', () => {
  it('visits every state once, however many ways lead there', () => {
    const findings = explore(walkers(200, () => false))
    expect(findings).toMatchObject({ states: 200 * 200, transitions: 2 * 200 * 199, depth: 398 })
    expect(findings.violation).toBeUndefined()
  })

  it('gives a shortest trace to the first state that breaks a law', () => {
    const { violation } = explore(walkers(50, (a, b) => a === 2 && b === 1))
    expect(violation?.law).toBe('never there')
    expect(violation?.trace).toHaveLength(3)
    expect(violation?.trace.at(-1)).toMatch(/^ {2}3\. walker [01] steps {3}-> [01] at [12]$/)
  })

  it('finds the race of those who look before they set, and none where they set before they look', () => {
    expect(explore(room(true)).violation).toEqual({
      law: 'one at a time',
      trace: [
        '  1. 0 looks',
        '  2. 1 looks',
        '  3. 0 sets its flag',
        '  4. 0 enters',
        '  5. 1 sets its flag',
        '  6. 1 enters',
      ],
    })
    expect(explore(room(false)).violation).toBeUndefined()
  })

  it('looks at the initial state as well', () => {
    expect(explore(walkers(2, (a, b) => a + b === 0)).violation).toEqual({ law: 'never there', trace: [] })
  })

  it('fails, and does not pass, where the states are more than it may keep', () => {
    expect(() =>
      explore(
        walkers(100, () => false),
        { limit: 500 },
      ),
    ).toThrow('walkers: more than 500 states')
  })
})
