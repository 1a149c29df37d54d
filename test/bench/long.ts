/** Long runs: whether memory and history stay flat, and several workers on one queue. */
import { differences } from './check.ts'
import { globOf } from './contestants.ts'
import { rowId } from './records.ts'
import { drop, type Stage, type WorkerProcess } from './stage.ts'
import { table } from './report.ts'
import type { Hall } from './rounds.ts'
import { runFlow } from './runs.ts'
import type { FlowRun } from './runs.ts'
import { objectOf } from './vendor.ts'

type Form = 'csv' | 'json'
const titles = { csv: 'Bulk CSV', json: 'REST JSON' }
const head = ['run', 'rows/s', 'CPU µs/row', 'peak MB', 'event loop ms', 'events', 'actions']

/** `scale` rows beside a tenth of them, each on a fresh worker. */
export async function memory(hall: Hall, base: number, scale: number, forms: Form[]): Promise<string> {
  const { stage, programs, log } = hall
  const lines: string[][] = []
  const grown: string[] = []
  for (const form of forms) {
    const peaks: number[] = []
    for (const rows of [scale / 10, scale]) {
      const worker = await stage.startWorker(programs.node)
      const name = `long-${form}-${rows}`
      const flow = stage.flow(name, { form, gzip: false, objects: [objectOf(rows)], taskQueue: worker.taskQueue })
      const run = await runFlow(stage, worker, flow)
      await worker.stop()
      await checkLong(hall, name, rows, base)
      peaks.push(run.peakBytes)
      lines.push(line(`${titles[form]}, ${rows.toLocaleString('en')} rows`, rows, run))
      log(`${name}: ${Math.round(rows / run.seconds / 1000)} krows/s, peak ${Math.round(run.peakBytes / 1e6)} MB`)
    }
    const [small = 0, large = 0] = peaks
    const met = large <= small * 1.2 && large < 500e6 ? 'met' : 'NOT MET'
    grown.push(
      `${titles[form]}: peak memory ${(large / small).toFixed(2)} times that of a tenth (at most 1.2, and 500 MB): ${met}.`,
    )
  }
  return [table(head, lines), ...grown].join('\n\n')
}

/** The same rows by one, two and four workers of one queue: every row once, whoever reads it. */
export async function workers(hall: Hall, rows: number, base: number): Promise<string> {
  const { stage, programs, log } = hall
  const lines: string[][] = []
  for (const count of [1, 2, 4]) {
    const taskQueue = `together-${count}`
    const all: WorkerProcess[] = []
    for (let at = 0; at < count; at++) all.push(await stage.startWorker(programs.node, taskQueue))
    const flowOf = (name: string, many: number) =>
      stage.flow(name, { form: 'csv', gzip: false, objects: [objectOf(many)], taskQueue })
    await stage.run(flowOf(`together-${count}-warm-up`, Math.min(rows, 100_000)))
    const name = `together-${count}`
    const taken = await together(stage, all, flowOf(name, rows))
    for (const worker of all) await worker.stop()
    await checkLong(hall, name, rows, base)
    lines.push([
      `${count} ${count === 1 ? 'worker' : 'workers'}`,
      Math.round(rows / taken.seconds).toLocaleString('en'),
      ...[((taken.cpuSeconds / rows) * 1e6).toFixed(2), String(Math.round(taken.peakBytes / 1e6))],
      taken.shares.map((share) => `${Math.round(share * 100)} %`).join(', '),
    ])
    log(`${name}: ${Math.round(rows / taken.seconds / 1000)} krows/s`)
  }
  return table(['on one queue', 'rows/s', 'CPU µs/row, all', 'peak MB of one', 'shares of the CPU'], lines)
}

async function together(stage: Stage, all: WorkerProcess[], flow: Record<string, unknown>) {
  const { measure } = await import('./process-tree.ts')
  const measuring = all.map(({ pid }) => measure(pid))
  const began = performance.now()
  await stage.run(flow)
  const seconds = (performance.now() - began) / 1000
  const taken = measuring.map((one) => one.end())
  const cpuSeconds = taken.reduce((sum, one) => sum + one.cpuSeconds, 0)
  const peakBytes = Math.max(...taken.map((one) => one.peakBytes))
  return { seconds, cpuSeconds, peakBytes, shares: taken.map((one) => one.cpuSeconds / cpuSeconds) }
}

/**
 * Rows past the file's end are those before it under other Ids and stamps: every Id once, and of all other columns the
 * sums of so many times the file.
 */
async function checkLong(
  { stage, checker, programs, log }: Hall,
  name: string,
  rows: number,
  base: number,
): Promise<void> {
  const glob = globOf(stage.files(name))
  const times = Math.max(1, rows / base)
  const truth = await checker.truth(
    programs.data.csv(Math.min(rows, base)),
    Math.min(rows, base),
    rowId(Math.min(rows, base) - 1),
  )
  const found = await checker.written(glob)
  const own = new Set(times > 1 ? ['Id', 'SystemModstamp', '*'] : [])
  const expected = Object.entries(truth.hashes).map(([column, sum]) => [
    column,
    own.has(column) ? found.hashes[column] : String(BigInt(sum) * BigInt(times)),
  ])
  const wrong = differences(found, {
    rows: String(rows),
    hashes: Object.fromEntries(expected) as Record<string, string>,
  })
  if (wrong !== null) throw new Error(`the value check of ${name} failed: ${wrong}`)
  const ids = await checker.distinct(glob, 'Id')
  if (ids !== rows) throw new Error(`${name} has ${ids} different Ids of ${rows}`)
  log(`${name}: every value right`)
  drop(stage.files(name))
}

function line(what: string, rows: number, run: FlowRun): string[] {
  return [
    what,
    Math.round(rows / run.seconds).toLocaleString('en'),
    ((run.cpuSeconds / rows) * 1e6).toFixed(2),
    String(Math.round(run.peakBytes / 1e6)),
    run.blockedMs.toFixed(0),
    String(run.events),
    String(run.actions),
  ]
}
