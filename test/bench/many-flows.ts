/** Many flows fired at one worker within a minute: whether anything is lost, and what waits. */
import { differences } from './check.ts'
import type { Summary } from './check.ts'
import { globOf } from './contestants.ts'
import { rowId } from './records.ts'
import { median } from './report.ts'
import { measure } from './process-tree.ts'
import type { Hall } from './rounds.ts'
import { drop } from './stage.ts'
import { objectOf } from './vendor.ts'

/** Rows of the objects of each flow. */
const OBJECTS = [200, 201, 202, 203, 204]

export async function manyFlows(
  { stage, programs, checker, log }: Hall,
  flows: number,
  withinMs: number,
): Promise<string> {
  const worker = await stage.startWorker(programs.node)
  const { taskQueue } = worker
  const objects = OBJECTS.map(objectOf)
  const each = OBJECTS.reduce((sum, rows) => sum + rows, 0)
  const measuring = measure(worker.pid)
  const began = performance.now()
  const settled = await Promise.allSettled(
    Array.from({ length: flows }, async (_, at) => {
      await new Promise((resolve) => setTimeout(resolve, (withinMs * at) / flows))
      const from = performance.now()
      const result = await stage.run(stage.flow(`many-${at}`, { form: 'json', gzip: false, objects, taskQueue }))
      if (result.written !== each) throw new Error(`flow ${at} wrote ${result.written} rows of ${each}`)
      return { seconds: (performance.now() - from) / 1000, at: (performance.now() - began) / 1000 }
    }),
  )
  const lost = settled.find((end) => end.status === 'rejected')
  if (lost) throw lost.reason
  const ends = settled.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  const { peakBytes, cpuSeconds } = measuring.end()
  await worker.stop()
  const truths: Summary[] = []
  for (const rows of OBJECTS) truths.push(await checker.truth(programs.data.csv(rows), rows, rowId(rows - 1)))
  const sum = (of: (truth: Summary) => string): string =>
    String(truths.reduce((total, truth) => total + BigInt(of(truth)), 0n) * BigInt(flows))
  const hashes = Object.keys(truths[0]!.hashes).map((name) => [name, sum((truth) => truth.hashes[name]!)])
  const expected = { rows: sum(({ rows }) => rows), hashes: Object.fromEntries(hashes) as Record<string, string> }
  const wrong = differences(await checker.written(globOf(stage.files('many-*'))), expected)
  if (wrong !== null) throw new Error(`the value check of ${flows} flows failed: ${wrong}`)
  for (let at = 0; at < flows; at++) drop(stage.files(`many-${at}`))
  const seconds = ends.map((end) => end.seconds)
  const drained = Math.max(...ends.map((end) => end.at)) - withinMs / 1000
  log(`${flows} flows: every value right`)
  return [
    `${flows} flows of ${OBJECTS.length} objects of about 200 rows, fired within ${withinMs / 1000} s at one worker: all`,
    `${flows * OBJECTS.length} objects written and right; a flow took ${median(seconds).toFixed(1)} s (at most`,
    `${Math.max(...seconds).toFixed(1)} s); the queue was empty ${Math.max(0, drained).toFixed(1)} s behind the last start;`,
    `peak memory of the worker ${Math.round(peakBytes / 1e6)} MB, ${(cpuSeconds / flows / OBJECTS.length).toFixed(2)} CPU s an object.`,
  ].join(' ')
}
