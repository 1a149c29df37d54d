/** `npm run faults`: see `--help`. Ends with 1 where a case is not as promised, with 2 where an option is wrong. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, buildPackage } from '../bench/programs.ts'
import { wavesOf } from './cases/all.ts'
import type { CaseResult } from './fault-case.ts'
import { openHouse } from './house.ts'
import { matrixOf, summaryOf } from './matrix.ts'
import { readOptions } from './options.ts'
import type { Options } from './options.ts'
import { runWaves } from './waves.ts'

const began = performance.now()
const log = (text: string): void => {
  const seconds = Math.round((performance.now() - began) / 1000)
  process.stderr.write(
    `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}  ${text}\n`,
  )
}

/** What a failing case is done again with. */
const again = ({ name, seed }: CaseResult): string => `npm run faults -- --only '${name}' --seed ${seed}`

/** Without any part all are wanted. */
const isWanted = (name: string): boolean => {
  const { only } = options as Options
  return only.length === 0 || only.some((part) => name.includes(part))
}

async function attack(options: Options): Promise<CaseResult[]> {
  log('building the package')
  const built = await buildPackage()
  process.env['LAKEWARD_TEST_BUILT'] = built.folder
  writeFileSync(`${built.folder}.ready`, '')
  const house = await openHouse()
  const results: CaseResult[] = []
  const total = wavesOf(isWanted).reduce((sum, { cases }) => sum + cases.length, 0) * options.rounds
  const done = (found: CaseResult[]): void => {
    results.push(...found)
    for (const one of found) {
      if (options.json) appendFileSync(options.json, `${JSON.stringify(one)}\n`)
      if (!one.ok)
        log(`FAILED ${one.name}: ${one.problems.join('; ')}\n        ${one.message ?? ''}\n        ${again(one)}`)
    }
    const failed = results.filter(({ ok }) => !ok).length
    log(`${results.length} of ${total} cases, ${house.kills} kills, ${failed} failed`)
  }
  const close = async (): Promise<void> => {
    await house.close()
    await built.drop()
  }
  process.once('SIGINT', () => void close().finally(() => process.exit(130)))
  process.once('SIGTERM', () => void close().finally(() => process.exit(143)))
  try {
    for (let round = 0; round < options.rounds; round++) {
      await runWaves(house, wavesOf(isWanted), { parallel: options.parallel, seed: options.seed + round, done })
    }
  } finally {
    await close()
  }
  log(`${house.kills} processes were killed or stopped`)
  return results
}

const ABOUT = [
  'Each case is a lane of its own: it is attacked in its first run, two runs follow, and then what is visible is',
  'compared with the source, in every column. A case fails where anything is not as promised: rows, files that no',
  'manifest names, files visible before their entry, uploads and staged files left behind, rows read twice beyond the',
  'units in flight, runs that do not end. Kills are steps that a process was at when it was killed or stopped.',
].join('\n')

function writeMatrix(results: CaseResult[]): void {
  const date = new Date().toISOString().slice(0, 10)
  const text = [
    '<!-- Written by npm run faults -- --write -->',
    '# The matrix',
    `${date}. ${ABOUT}`,
    summaryOf(results),
    matrixOf(results),
  ].join('\n\n')
  writeFileSync(join(ROOT, 'test/faults/matrix.md'), `${text}\n`)
}

const options = readOptions(process.argv.slice(2))
if ('say' in options) {
  process.stdout.write(options.say)
  process.exit(options.code)
}
const names = wavesOf(isWanted).flatMap(({ cases }) => cases.map(({ name }) => name))
if (options.list || names.length === 0) {
  process.stdout.write(`${names.join('\n')}\n${names.length} cases\n`)
  process.exit(names.length === 0 ? 2 : 0)
}
const results = options.rounds === 0 ? [] : await attack(options)
if (results.length > 0) process.stdout.write(`\n${summaryOf(results)}\n`)
if (options.write) {
  const kept = options.json && existsSync(options.json) ? readFileSync(options.json, 'utf8').trim().split('\n') : []
  writeMatrix(kept.length > 0 ? kept.map((line) => JSON.parse(line) as CaseResult) : results)
}
process.exit(results.every(({ ok }) => ok) ? 0 : 1)
