/**
 * Simulated histories by the million, on several processes: `npm run faults:simulate -- --interleavings 10000000`.
 *
 *   --of lake|lookback|login  what is simulated; default lake
 *   --interleavings N         how many; default 1000000
 *   --from SEED               the first seed; default 1
 *   --processes N             default: one per processor
 *   --seconds N               stop after so long; what is printed says from which seed to go on
 *
 * A history that fails is shrunk and printed, and with it the seed and the tape that repeat it.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { failureText } from './simulation/failure-text.ts'
import { simulations } from './simulation/simulations.ts'
import type { Simulated } from './simulation/simulations.ts'

const SEEDS = 50

interface Asked {
  of: Simulated
  from: number
}
interface Played {
  interleavings: number
  troubles: number
  failure: string | null
}

async function play({ of, from }: Asked): Promise<Played> {
  const played: Played = { interleavings: 0, troubles: 0, failure: null }
  for (let seed = from; seed < from + SEEDS && played.failure === null; seed++) {
    const history = await simulations[of](seed)
    played.interleavings += history.interleavings
    played.troubles += history.troubles
    if (history.problem !== null)
      played.failure = await failureText(seed, history, (tape) => simulations[of](seed, { tape }))
  }
  return played
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      of: { type: 'string', default: 'lake' },
      interleavings: { type: 'string', default: '1000000' },
      from: { type: 'string', default: '1' },
      processes: { type: 'string', default: String(availableParallelism()) },
      seconds: { type: 'string', default: 'Infinity' },
    },
  })
  const of = values.of as Simulated
  if (!Object.hasOwn(simulations, of)) {
    process.stderr.write(
      `--of ${of}: there is no such simulation. Take one of ${Object.keys(simulations).join(', ')}.\n`,
    )
    process.exitCode = 2
    return
  }
  const first = Number(values.from)
  const until = performance.now() + Number(values.seconds) * 1000
  const all: Played = { interleavings: 0, troubles: 0, failure: null }
  let from = first
  const work = async (): Promise<void> => {
    const child = fork(fileURLToPath(import.meta.url), ['--played'], { execArgv: process.execArgv })
    const dies = once(child, 'exit').then(([code]) => Promise.reject(new Error(`a process ended with ${code}`)))
    dies.catch(() => {}) // it ends in the end
    try {
      while (all.failure === null && all.interleavings < Number(values.interleavings) && performance.now() < until) {
        const played = await Promise.race([ask(child, { of, from }), dies])
        all.interleavings += played.interleavings
        all.troubles += played.troubles
        all.failure ??= played.failure
      }
    } finally {
      child.kill()
    }
  }
  const ask = async (child: ChildProcess, asked: Asked): Promise<Played> => {
    from += SEEDS
    child.send(asked)
    const [played] = (await once(child, 'message')) as [Played]
    return played
  }
  await Promise.all(Array.from({ length: Number(values.processes) }, work))
  const counted = (number: number): string => number.toLocaleString('en')
  if (all.failure !== null) process.stdout.write(`${all.failure}\n`)
  process.stdout.write(
    `${of}: seeds ${first} to ${from - 1}, ${counted(from - first)} histories, ${counted(all.interleavings)} interleavings, ` +
      `${counted(all.troubles)} troubles: ${all.failure === null ? 'every promise was kept' : 'a promise was broken'}\n`,
  )
  process.exitCode = all.failure === null ? 0 : 1
}

if (process.argv[2] === '--played') {
  process.on('message', (asked: Asked) => void play(asked).then((played) => process.send!(played)))
} else await main()
