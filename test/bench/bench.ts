/**
 * `npm run bench`: from nothing to tables; see `--help`. Ends with 1 where a value was wrong, 2 where an option was.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { Checker } from './check.ts'
import { contestants } from './contestants.ts'
import type { ContestantName, Programs } from './contestants.ts'
import { localCsv, localLines, makeData } from './data.ts'
import { copySql } from './duck-sql.ts'
import { heatsOf } from './heats.ts'
import { costs } from './costs.ts'
import { memory, workers } from './long.ts'
import { manyFlows } from './many-flows.ts'
import { parts, processors, readOptions } from './options.ts'
import type { Options } from './options.ts'
import { buildPackage, dltPython, node24, pyarrowPython, ROOT, vendorBinary } from './programs.ts'
import { MOST_ROWS } from './records.ts'
import { ratioOf, ratioTable, speeds, table } from './report.ts'
import type { Ratio } from './report.ts'
import { Field } from './rounds.ts'
import { openStage } from './stage.ts'
import { orSkip } from '../components.ts'

const began = performance.now()
const log = (line: string): void => {
  const seconds = Math.round((performance.now() - began) / 1000)
  process.stderr.write(
    `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}  ${line}\n`,
  )
}

/** The tables, as Markdown. */
export async function bench(options: Options): Promise<string> {
  const data = await makeData(options.short ? options.rows : MOST_ROWS, log)
  const vendor = await vendorBinary(log)
  const wants = (...wanted: (keyof typeof parts)[]): boolean => wanted.some((part) => options.only.has(part))
  const pyarrow = wants('csv', 'json', 'gzip')
    ? await orSkip(pyarrowPython(), 'the script of requests and pyarrow')
    : null
  const dlt = wants('dlt') ? await orSkip(dltPython(), 'dlt') : null
  const node = await node24(log)
  log('building the package')
  const built = await buildPackage()
  const stage = await openStage({ data: data.folder, vendor, built: built.folder, log })
  const checker = await Checker.open()
  const programs: Programs = {
    node,
    built: built.folder,
    pyarrow,
    dlt,
    data: {
      index: join(data.folder, 'index.bin'),
      json: data.jsonPath,
      csv: (rows) => localCsv(data, rows),
      ndjson: (rows) => localLines(data, rows),
    },
  }
  const field = new Field({ stage, programs, checker, log })
  const close = async (): Promise<void> => {
    await field.close()
    checker.close()
    await stage.close()
    await built.drop()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void close().finally(() => process.exit(130)))
  }
  try {
    const text = [machine(options)]
    const hall = field.hall
    const million = options.short ? options.rows : 1_000_000
    const ratios: Ratio[] = []
    for (const heat of heatsOf(options).filter(({ part }) => options.only.has(part))) {
      const results = await field.play({ ...heat, names: heat.names.filter((name) => options.who.has(name)) })
      if (results.length > 0) text.push(`### ${heat.title}`, speeds(results))
      ratios.push(...heat.targets.map((target) => ratioOf(results, target)))
    }
    if (ratios.length > 0 && !options.short) text.push('### Ratios', ratioTable(ratios))
    await field.close()
    if (wants('memory')) {
      text.push(
        '### Long runs',
        await memory(hall, data.rows, options.scale, options.short ? ['csv', 'json'] : ['csv']),
      )
    }
    if (wants('workers')) text.push('### Several workers', await workers(hall, million, data.rows))
    if (wants('flows')) {
      text.push('### Many flows', await manyFlows(hall, options.short ? 4 : 200, options.short ? 0 : 45_000))
    }
    if (wants('costs')) text.push('### What runs cost', await costs(hall, million))
    if (Object.keys(field.startSeconds).length > 0) {
      text.push('### Start-up, apart from all of these', startUps(field), '### The limit', limitSql())
    }
    return text.join('\n\n')
  } finally {
    await close()
  }
}

function machine({ rounds, rows }: Options): string {
  const [cpu] = os.cpus()
  const packages = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  return [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; ${processors} processors (${cpu?.model.trim()}), `,
    `${Math.round(os.totalmem() / 1e9)} GB; ${os.type()} ${os.release()}; Node.js 24 and ${process.versions.node}; `,
    `DuckDB ${packages.devDependencies['@duckdb/node-api']}, pyarrow 26.0.1, dlt 1.31.0. `,
    `${rounds} rounds of ${rows.toLocaleString('en')} rows of 40 columns; medians.`,
  ].join('')
}

function startUps(field: Field): string {
  const rows = Object.entries(field.startSeconds).map(([name, seconds]) => [
    contestants[name as ContestantName],
    seconds.toFixed(1),
  ])
  return table(['contestant', 'seconds'], rows)
}

function limitSql(): string {
  const sql = (['csv', 'json'] as const).map((form) =>
    copySql({ form, path: form === 'csv' ? 'bulk.csv' : 'rest.ndjson', out: 'out.parquet', alike: false }),
  )
  return `\`\`\`sql\n${sql.join(';\n')};\n\`\`\`\n\nLike for like: \`SET preserve_insertion_order = false\`, and \`COMPRESSION_LEVEL 1\`.`
}

const START = '<!-- figures: written by npm run bench -- --write -->'
const END = '<!-- end of figures -->'

function writeReadme(tables: string): void {
  const path = join(ROOT, 'test/bench/README.md')
  const text = readFileSync(path, 'utf8')
  const [before, after] = [text.indexOf(START), text.indexOf(END)]
  writeFileSync(path, `${text.slice(0, before + START.length)}\n\n${tables}\n\n${text.slice(after)}`)
}

const options = readOptions(process.argv.slice(2))
if ('say' in options) {
  process.stdout.write(options.say)
  process.exit(options.code)
}
try {
  const tables = await bench(options)
  process.stdout.write(`\n${tables}\n`)
  if (options.write) writeReadme(tables)
  process.exit(0)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(1)
}
