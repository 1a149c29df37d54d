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

async function attack(options: Options): Promise<CaseResult[]> {
  log('building the package')
  const built = await buildPackage()
  process.env['LAKEWARD_TEST_BUILT'] = built.folder
  writeFileSync(`${built.folder}.ready`, '')
  const house = await openHouse()
  const results: CaseResult[] = []
  const total = wavesOf(options.only).reduce((sum, { cases }) => sum + cases.length, 0) * options.rounds
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
      await runWaves(house, wavesOf(options.only), { parallel: options.parallel, seed: options.seed + round, done })
    }
  } finally {
    await close()
  }
  log(`${house.kills} processes were killed or stopped`)
  return results
}

function writeMatrix(results: CaseResult[]): void {
  const date = new Date().toISOString().slice(0, 10)
  const text = [
    `<!-- Written by npm run faults -- --write -->\n\n# The matrix\n\n${date}. Each case is one lane: it is attacked in its first run,`,
    'two runs follow, and then the visible records are compared with the source in every column. Kills are lanes struck',
    `at a step; failed is a case with anything that is not as promised.\n\n${summaryOf(results)}\n\n${matrixOf(results)}\n`,
  ].join('\n')
  writeFileSync(join(ROOT, 'test/faults/matrix.md'), text)
}

const options = readOptions(process.argv.slice(2))
if ('say' in options) {
  process.stdout.write(options.say)
  process.exit(options.code)
}
const names = wavesOf(options.only).flatMap(({ cases }) => cases.map(({ name }) => name))
if (options.list || names.length === 0) {
  process.stdout.write(`${names.join('\n')}\n${names.length} cases\n`)
  process.exit(names.length === 0 ? 2 : 0)
}
const results = await attack(options)
process.stdout.write(`\n${summaryOf(results)}\n`)
if (options.write) {
  const kept = options.json && existsSync(options.json) ? readFileSync(options.json, 'utf8').trim().split('\n') : []
  writeMatrix(kept.length > 0 ? kept.map((line) => JSON.parse(line) as CaseResult) : results)
}
process.exit(results.every(({ ok }) => ok) ? 0 : 1)
