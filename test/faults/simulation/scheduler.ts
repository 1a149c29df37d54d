/**
 * Who goes next: everybody who wants something of the world waits at a gate, and one gate is opened at a time.
 *
 * Law: between two gates nothing of the world is touched, so the order in which gates open is the whole history.
 */
import type { Choices } from './random.ts'

/** A process: what it asks of the world is asked at its gates. Dead, it asks nothing any more. */
export class Process {
  readonly name: string
  dead = false
  constructor(name: string) {
    this.name = name
  }
}

export class Crash extends Error {
  override readonly name = 'Crash'
}

interface Gate {
  process: Process
  open: () => void
  refuse: (error: Error) => void
}

export class Scheduler {
  readonly choices: Choices
  /** Gates that were opened, and those of them where somebody else could have gone. */
  opened = 0
  chosen = 0
  #waiting: Gate[] = []
  #last: Process | null = null

  constructor(choices: Choices) {
    this.choices = choices
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Resolves when it is this process's turn. */
  async gate(process: Process): Promise<void> {
    if (process.dead) throw new Crash(process.name)
    await new Promise<void>((open, refuse) => {
      this.#waiting.push({ process, open, refuse })
    })
  }

  kill(process: Process): void {
    process.dead = true
    const own = this.#waiting.filter((gate) => gate.process === process)
    this.#waiting = this.#waiting.filter((gate) => gate.process !== process)
    for (const gate of own) gate.refuse(new Crash(process.name))
  }

  /** Opens one gate, and waits until everybody stands at one again; false: nobody wants anything. */
  async turn(): Promise<boolean> {
    if (this.#waiting.length === 0) return false
    // Whoever went last first, then in the order they came: the dull choice is to let them go on.
    const at = this.#waiting.findIndex(({ process }) => process === this.#last)
    if (at > 0) this.#waiting.unshift(...this.#waiting.splice(at, 1))
    const several = this.#waiting.length > 1
    if (several) this.chosen++
    const [gate] = this.#waiting.splice(several ? this.choices.choose(this.#waiting.length, 0.6) : 0, 1)
    this.#last = gate!.process
    this.opened++
    gate!.open()
    await quiet()
    return true
  }
}

/** All that can go on without a gate has gone on: promises are settled before the event loop turns. */
export const quiet = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
