/**
 * Rounds: in each, every contestant works once after the other, so that what else the machine does hits all of them.
 * What is compared is compared inside a round; every output is checked, value by value, and a wrong one ends the bench.
 */
import type { Checker } from './check.ts'
import { differences } from './check.ts'
import { bytesBelow, columnOf, contestants, drop, globOf, enter } from './contestants.ts'
import type { ContestantName, Heat, Programs, Result, Running } from './contestants.ts'
import { rowId } from './records.ts'
import { cpuSeconds } from './process-tree.ts'
import type { Stage } from './stage.ts'

const FEW = 2

export interface Plan {
  title: string
  heat: Heat
  rounds: number
  names: ContestantName[]
  /** Rows of the round that warms up; absent: as many as in the others. */
  warmUp?: number
}

export interface Hall {
  stage: Stage
  programs: Programs
  checker: Checker
  log: (line: string) => void
}

/** Contestants that were started, by name; those that cannot take part here are told once. */
export class Field {
  readonly hall: Hall
  readonly startSeconds: Partial<Record<ContestantName, number>> = {}
  readonly #running = new Map<ContestantName, Promise<Running | null>>()
  #places = 0

  constructor(hall: Hall) {
    this.hall = hall
  }

  /** The first round warms everybody up, and does not count. */
  async play({ title, heat, rounds, names, warmUp = heat.rows }: Plan): Promise<Result[]> {
    const results: Result[] = []
    for (let round = 0; round <= rounds; round++) {
      // In every second round the other way about: nobody always comes after the same one.
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        // Those of another Node.js are told about, and no promise rests on them.
        if (name.endsWith('20') && round > FEW) continue
        const rows = round === 0 ? warmUp : heat.rows
        const result = await this.once(name, { ...heat, rows }, round)
        if (!result) continue
        if (round > 0) results.push(result)
        const speed = `${Math.round(rows / result.seconds / 1000)} krows/s`
        this.hall.log(
          `${title}, ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${contestants[name]}: ${speed}`,
        )
      }
    }
    return results
  }

  async once(name: ContestantName, heat: Heat, round: number): Promise<Result | null> {
    const { stage, checker, programs } = this.hall
    const running = await this.#started(name)
    if (!running) return null
    const around = {
      vendor: [stage.vendors.plain.pid, stage.vendors.gzip.pid],
      s3: [stage.s3.pid],
      temporal: [stage.temporal.pid],
    }
    const taken = (pids: number[]): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
    const before = { vendor: taken(around.vendor), s3: taken(around.s3), temporal: taken(around.temporal) }
    const place = `p${++this.#places}-${name.toLowerCase()}`
    const { seconds, cpuSeconds: cpu, peakBytes, rows, files } = await running.run(heat, place)
    const spent = {
      vendor: taken(around.vendor) - before.vendor,
      s3: taken(around.s3) - before.s3,
      temporal: taken(around.temporal) - before.temporal,
    }
    const bytesOut = bytesBelow(files)
    if (rows !== heat.rows) throw new Error(`${contestants[name]} tells ${rows} rows of ${heat.rows}`)
    const truth = await checker.truth(programs.data.csv(heat.rows), heat.rows, rowId(heat.rows - 1))
    const wrong = differences(await checker.written(globOf(files), columnOf(name)), truth)
    if (wrong !== null) throw new Error(`the value check of ${contestants[name]} (${heat.form}) failed: ${wrong}`)
    drop(files)
    return { ...heat, contestant: name, round, seconds, cpuSeconds: cpu, peakBytes, bytesOut, around: spent }
  }

  #started(name: ContestantName): Promise<Running | null> {
    let running = this.#running.get(name)
    if (!running) {
      const { stage, programs, log } = this.hall
      running = enter(name, stage, programs).then((found) => {
        if (found) this.startSeconds[name] = found.startSeconds
        else log(`NOT HERE: ${contestants[name]}`)
        return found
      })
      this.#running.set(name, running)
    }
    return running
  }

  /** Ends one, so that its memory is free for the others. */
  async end(name: ContestantName): Promise<void> {
    const running = await this.#running.get(name)
    this.#running.delete(name)
    await running?.stop()
  }

  async close(): Promise<void> {
    for (const name of this.#running.keys()) await this.end(name)
  }
}
