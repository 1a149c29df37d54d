/** What `npm run faults` is asked for. */
import { parseArgs } from 'node:util'
import { groups } from './fault-case.ts'

export interface Options {
  rounds: number
  seed: number
  /** Parts of names; a case that has one of them takes part. */
  only: string[]
  list: boolean
  /** Waves at once. */
  parallel: number
  /** Where results go as JSON lines, added to what is there. */
  json: string | null
  write: boolean
}

const HELP = `npm run faults -- [options]

Attacks Lakeward as the world does: real workers, a real Temporal server with its database on disk, an S3 server,
toxiproxy between any two of them, and vendors that misbehave. Every case ends with the multiset of visible records
against the source's, in every column. Programs that are needed are built once and kept in the cache of components.

  --only <part>     cases whose names have this part, or one of several such; names begin with a group:
${Object.entries(groups)
  .map(([name, about]) => `                      ${name.padEnd(12)} ${about}`)
  .join('\n')}
  --rounds <n>      all of them so many times, each round with a seed of its own (default: 1); 0: --write alone
  --seed <n>        the first round's seed: data, storms and chance (default: 1)
  --parallel <n>    waves of cases at once (default: 2)
  --list            the names of the cases, and how many they are
  --json <file>     adds a line for each case to a file
  --write           writes the table of steps and faults to test/faults/matrix.md, from the file of --json as well
  --help            this

Examples
  npm run faults                                          everything, once
  npm run faults -- --only kill/entry-written --seed 7    the cases of one step, as a failure named them
  npm run faults -- --only storm --rounds 20
  npm run faults -- --rounds 0 --json results.jsonl --write
`

/** A text: what is to be said instead of working, and the exit code. */
export function readOptions(args: string[]): Options | { say: string; code: number } {
  let values
  try {
    ;({ values } = parseArgs({
      args,
      options: {
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        seed: { type: 'string' },
        parallel: { type: 'string' },
        json: { type: 'string' },
        list: { type: 'boolean' },
        write: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }))
  } catch (error) {
    return wrong((error as Error).message)
  }
  if (values.help) return { say: HELP, code: 0 }
  const numbers = { rounds: values.rounds ?? '1', seed: values.seed ?? '1', parallel: values.parallel ?? '2' }
  for (const [name, text] of Object.entries(numbers)) {
    if (!/^\d{1,9}$/.test(text) || (text === '0' && name !== 'rounds')) return wrong(`--${name} must be a whole number`)
  }
  const only = values.only ?? []
  const { list = false, write = false, json = null } = values
  const { rounds, seed, parallel } = numbers
  return { rounds: Number(rounds), seed: Number(seed), parallel: Number(parallel), only, list, json, write }
}

const wrong = (what: string) => ({ say: `faults: ${what}\nnpm run faults -- --help tells more\n`, code: 2 })
