/** What `npm run bench --` takes. */
import { parseArgs } from 'node:util'
import { availableParallelism } from 'node:os'
import { contestants } from './contestants.ts'
import type { ContestantName } from './contestants.ts'
import { MOST_ROWS } from './records.ts'

export const parts = {
  csv: 'Bulk CSV: every contestant',
  json: 'REST JSON: every contestant',
  gzip: 'both again with gzip-encoded answers: those who read over HTTP',
  million: 'a million rows of both: through Temporal beside the data plane',
  dlt: 'dlt with its rest_api source, 100,000 rows, 3 rounds',
  memory: 'ten million rows in one run, beside a million',
  workers: 'a million rows by one, two and four workers of one queue',
  flows: '200 flows of 5 objects each, fired at one worker within a minute',
  costs: 'actions, events, requests and latency of runs, and what they come to in a month',
} as const
export type Part = keyof typeof parts

export interface Options {
  rounds: number
  rows: number
  /** Rows of the longest run. */
  scale: number
  only: Set<Part>
  /** Who takes part. */
  who: Set<ContestantName>
  short: boolean
  write: boolean
}

const HELP = `npm run bench -- [options]

Measures Lakeward beside others on this machine, with generated data, and checks every value that anyone writes.
Everything that is needed is fetched or built once and kept in the cache of components; the first time takes longer.

  --only <parts>    some of: ${Object.keys(parts).join(', ')} (default: all)
${Object.entries(parts)
  .map(([name, about]) => `                      ${name.padEnd(9)} ${about}`)
  .join('\n')}
  --who <names>     some of: ${Object.keys(contestants).join(', ')} (default: all)
  --rounds <n>      rounds that count, behind one that warms up (default: 5)
  --rows <n>        rows of a round (default: 500000, at most ${MOST_ROWS})
  --scale <n>       rows of the longest run (default: 10000000)
  --short           a few thousand rows, one round: whether everything works and every value is right
  --write           writes the tables to test/bench/README.md
  --help            this

Examples
  npm run bench                                  everything, about 20 minutes on two processors
  npm run bench -- --only csv,json --rounds 3
  npm run bench -- --short
`

/** A text: what is to be said instead of working, and the exit code. */
export function readOptions(args: string[]): Options | { say: string; code: number } {
  let values
  try {
    ;({ values } = parseArgs({
      args,
      options: {
        only: { type: 'string' },
        who: { type: 'string' },
        rounds: { type: 'string' },
        rows: { type: 'string' },
        scale: { type: 'string' },
        short: { type: 'boolean' },
        write: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }))
  } catch (error) {
    return wrong((error as Error).message)
  }
  if (values.help) return { say: HELP, code: 0 }
  const { short = false, write = false } = values
  const names = values.only?.split(',') ?? Object.keys(parts)
  const unknown = names.filter((name) => !(name in parts))
  if (unknown.length > 0) return wrong(`--only ${unknown.join(',')}: the parts are ${Object.keys(parts).join(', ')}`)
  const asked = values.who?.split(',') ?? Object.keys(contestants)
  const strangers = asked.filter((name) => !(name in contestants))
  if (strangers.length > 0)
    return wrong(`--who ${strangers.join(',')}: there are ${Object.keys(contestants).join(', ')}`)
  const rounds = whole(values.rounds, short ? 1 : 5, 1, 100)
  const rows = whole(values.rows, short ? 4_000 : 500_000, 100, MOST_ROWS)
  if (rounds === null) return wrong('--rounds must be a whole number from 1 to 100')
  if (rows === null) return wrong(`--rows must be a whole number from 100 to ${MOST_ROWS}`)
  const scale = whole(values.scale, short ? rows * 10 : 10_000_000, 1_000, 50_000_000)
  if (scale === null || scale % 10 > 0) return wrong('--scale must be a multiple of ten from 1000 to 50000000')
  if (write && (short || values.only !== undefined || values.who !== undefined || rounds < 5)) {
    return wrong('--write takes the figures of a whole bench: leave out --short, --only, --who and fewer than 5 rounds')
  }
  return { rounds, rows, scale, only: new Set(names as Part[]), who: new Set(asked as ContestantName[]), short, write }
}

function whole(text: string | undefined, fallback: number, least: number, most: number): number | null {
  if (text === undefined) return fallback
  const value = Number(text)
  return Number.isInteger(value) && value >= least && value <= most ? value : null
}

const wrong = (what: string) => ({ say: `bench: ${what}\nnpm run bench -- --help tells more\n`, code: 2 })

export const processors = availableParallelism()
