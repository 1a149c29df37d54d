/**
 * A small explicit-state model checker: breadth first over every state a model can reach, so a counterexample is one of
 * the shortest.
 *
 * Law: exact. States are compared byte by byte, never by hash alone, and a search that meets its limit fails instead of
 * passing what it has not seen.
 */

export interface Model {
  readonly name: string
  /** Fixed length; a multiple of four bytes. */
  readonly initial: Uint8Array
  /** Calls `emit` once for each step that can be taken. The state may be reused by the model after `emit` returns. */
  successors(state: Uint8Array, emit: (next: Uint8Array, label: () => string) => void): void
  /** The law that a state breaks. */
  broken(state: Uint8Array): string | null
  /** What is worth telling of a state, a line each; a trace shows the lines that changed. */
  show(state: Uint8Array): string[]
}

export interface Findings {
  model: string
  states: number
  transitions: number
  /** Steps from the initial state to the farthest one. */
  depth: number
  ms: number
  violation?: { law: string; trace: string[] }
}

/** Explores all states, or up to the first that breaks a law. */
export function explore(model: Model, { limit = 4_000_000 } = {}): Findings {
  const began = performance.now()
  const seen = new StateTable(model.initial.length)
  const parents: number[] = [-1]
  const depths: number[] = [0]
  let transitions = 0
  const findings = (at: number, law?: string): Findings => ({
    model: model.name,
    states: seen.count,
    transitions,
    depth: depths[depths.length - 1]!,
    ms: Math.round(performance.now() - began),
    ...(law ? { violation: { law, trace: trace(model, seen, parents, at) } } : {}),
  })

  seen.add(model.initial)
  const wrong = model.broken(model.initial)
  if (wrong) return findings(0, wrong)
  for (let at = 0; at < seen.count; at++) {
    let bad: { at: number; law: string } | undefined
    model.successors(seen.state(at), (next) => {
      transitions++
      if (bad || !seen.add(next)) return
      parents.push(at)
      depths.push(depths[at]! + 1)
      const law = model.broken(next)
      if (law) bad = { at: seen.count - 1, law }
    })
    if (bad) return findings(bad.at, bad.law)
    if (seen.count > limit) throw new Error(`${model.name}: more than ${limit} states`)
  }
  return findings(0)
}

function trace(model: Model, seen: StateTable, parents: number[], last: number): string[] {
  const path: number[] = []
  for (let at = last; at >= 0; at = parents[at]!) path.unshift(at)
  const lines: string[] = []
  for (let i = 1; i < path.length; i++) {
    const from = seen.state(path[i - 1]!)
    const to = seen.state(path[i]!)
    let says = '?'
    model.successors(from, (next, label) => {
      if (says === '?' && same(next, to)) says = label()
    })
    const before = new Set(model.show(from))
    const changes = model.show(to).filter((line) => !before.has(line))
    lines.push(`${String(i).padStart(3)}. ${says}${changes.length ? `   -> ${changes.join('; ')}` : ''}`)
  }
  return lines
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i])
}

/** All states seen, in order of discovery, each once: an open-addressed table over one growing block of bytes. */
class StateTable {
  count = 0
  readonly #words: number
  #states: Uint32Array
  #slots = new Int32Array(1 << 16).fill(-1)
  /** The state to add, aligned to words. */
  readonly #candidate: Uint32Array
  readonly #candidateBytes: Uint8Array

  constructor(bytes: number) {
    if (bytes % 4) throw new Error('a state must be a multiple of four bytes')
    this.#words = bytes / 4
    this.#states = new Uint32Array(this.#words * 1024)
    this.#candidate = new Uint32Array(this.#words)
    this.#candidateBytes = new Uint8Array(this.#candidate.buffer)
  }

  /** Not to be changed. It stays as it is when the block grows: the growing moves all states to a new one. */
  state(index: number): Uint8Array {
    return new Uint8Array(this.#states.buffer, index * this.#words * 4, this.#words * 4)
  }

  /** Adds the state; false when it is there already. */
  add(state: Uint8Array): boolean {
    this.#candidateBytes.set(state)
    const slot = this.#find(this.#candidate, 0)
    if (this.#slots[slot]! >= 0) return false
    if ((this.count + 1) * this.#words > this.#states.length) {
      const wider = new Uint32Array(this.#states.length * 2)
      wider.set(this.#states)
      this.#states = wider
    }
    this.#states.set(this.#candidate, this.count * this.#words)
    this.#slots[slot] = this.count++
    if (this.count * 2 > this.#slots.length) this.#grow()
    return true
  }

  /** The slot that holds the words at `from`, or the free one where they belong. */
  #find(words: Uint32Array, from: number): number {
    const width = this.#words
    let hash = 0x811c9dc5
    for (let i = 0; i < width; i++) {
      hash = Math.imul(hash ^ words[from + i]!, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]!
      if (index < 0) return slot
      let i = 0
      while (i < width && this.#states[index * width + i] === words[from + i]) i++
      if (i === width) return slot
    }
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1)
    for (let index = 0; index < this.count; index++) {
      this.#slots[this.#find(this.#states, index * this.#words)] = index
    }
  }
}
