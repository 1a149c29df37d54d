/** What runs cost: actions and events of Temporal, requests to S3, processor time, and from them a month. */
import { openS3Gate } from '../e2e/s3-gate.ts'
import { monthly } from './monthly.ts'
import { median, table } from './report.ts'
import type { Hall } from './rounds.ts'
import { runFlow } from './runs.ts'
import type { FlowRun } from './runs.ts'
import { drop } from './stage.ts'
import type { Stage } from './stage.ts'
import { objectOf } from './vendor.ts'

/** Requests as S3 prices them: https://aws.amazon.com/s3/pricing/ */
export interface S3Requests {
  /** PUT, COPY, POST and LIST. */
  puts: number
  gets: number
}

export interface Cost extends FlowRun {
  what: string
  s3: S3Requests
}

const TIMES = 5

export async function costs(hall: Hall, million: number): Promise<string> {
  const { stage, programs, log } = hall
  const gate = await openS3Gate(stage.s3.url)
  const worker = await stage.startWorker(programs.node, undefined, gate.url)
  let flows = 0
  const once = async (what: string, flow: Record<string, unknown>, workflowId: string): Promise<Cost> => {
    const from = gate.seen.length
    const run = await runFlow(stage, worker, flow, workflowId)
    return { ...run, what, s3: counted(gate.seen.slice(from)) }
  }
  const flowOf = (rows: number, form: 'csv' | 'json', name = `cost-${++flows}`) =>
    stage.flow(name, { form, gzip: false, objects: [objectOf(rows)], taskQueue: worker.taskQueue })
  try {
    await once('', flowOf(200, 'json'), 'cost/warm-up')
    const first: Cost[] = []
    const again: Cost[] = []
    for (let time = 0; time < TIMES; time++) {
      const flow = flowOf(200, 'json')
      first.push(await once('200 rows', flow, `cost/first/${time}`))
      again.push(await once('an unchanged object', flow, `cost/again/${time}`))
    }
    const all = [middle(again), middle(first)]
    for (const form of ['json', 'csv'] as const) {
      const title = `${million.toLocaleString('en')} rows, ${form === 'csv' ? 'Bulk' : 'REST'}`
      const flow = flowOf(million, form)
      all.push(await once(title, flow, `cost/${form}`))
      drop(stage.files(String(flow['name'])))
    }
    log('what runs cost: counted')
    return [runTable(all), monthly(all)].join('\n\n')
  } finally {
    await worker.stop()
    await gate.stop()
  }
}

/** The run of median length, which stands for the others. */
function middle(runs: Cost[]): Cost {
  const seconds = median(runs.map((run) => run.seconds))
  return runs.find((run) => run.seconds === seconds) ?? runs[0]!
}

function counted(seen: { method: string; path: string }[]): S3Requests {
  const isPut = ({ method, path }: { method: string; path: string }): boolean =>
    method === 'PUT' || method === 'POST' || (method === 'GET' && /list-type|uploads/.test(path))
  const puts = seen.filter(isPut).length
  return { puts, gets: seen.filter(({ method }) => method === 'GET' || method === 'HEAD').length - lists(seen) }
}

const lists = (seen: { method: string; path: string }[]): number =>
  seen.filter(({ method, path }) => method === 'GET' && /list-type|uploads/.test(path)).length

/** At most so many actions: what the project promises. */
const MOST: Record<string, number> = { 'an unchanged object': 8 }
const MOST_OF_MILLION = 80

function runTable(all: Cost[]): string {
  const rows = all.map(({ what, actions, events, seconds, cpuSeconds, s3 }) => {
    const most = MOST[what] ?? (what.includes(' rows, ') ? MOST_OF_MILLION : null)
    return [
      what,
      String(actions),
      most === null ? '-' : `${most}: ${actions <= most ? 'met' : 'NOT MET'}`,
      String(events),
      seconds.toFixed(2),
      cpuSeconds.toFixed(2),
      String(s3.puts),
      String(s3.gets),
    ]
  })
  const head = [
    'a run of',
    'actions',
    'at most',
    'events',
    'start to commit, s',
    'CPU s',
    'S3 PUT, LIST',
    'S3 GET, HEAD',
  ]
  return table(head, rows)
}

export type { Stage }
