/** What three installations cost a month, from what was measured, beside AppFlow. */
import type { Cost } from './costs.ts'
import { table } from './report.ts'

/** US dollars, list prices of us-east-1. */
const PRICES = {
  /** https://temporal.io/pricing: a million actions; plans have a base fee, and a server of one's own has neither. */
  actions: 50 / 1e6,
  /** A schedule's fire is three actions, of which the start of the workflow is one. */
  fire: 2,
  /** https://aws.amazon.com/s3/pricing/ */
  put: 0.005 / 1000,
  get: 0.0004 / 1000,
  /** A worker of 1 vCPU and 2 GB that never stops: https://aws.amazon.com/fargate/pricing/ */
  worker: 730 * (0.04048 + 2 * 0.004445),
  /** https://aws.amazon.com/appflow/pricing/ */
  run: 0.001,
  gigabyte: 0.02,
}

const MONTH_MINUTES = 30 * 24 * 60
/** Of a worker's processor; more work is another worker's. */
const MOST_BUSY = 0.5
/** Of a record as REST gives it, which is what AppFlow would process. */
const ROW_BYTES = 1285

interface Size {
  name: string
  objects: number
  everyMinutes: number
  /** Full loads of a million rows a month. */
  loads: number
}

const sizes: Size[] = [
  { name: 'small: 10 objects every hour', objects: 10, everyMinutes: 60, loads: 1 },
  { name: 'middle: 50 objects every 15 minutes, a million rows a week', objects: 50, everyMinutes: 15, loads: 4 },
  { name: 'large: 200 objects every 5 minutes, a million rows a day', objects: 200, everyMinutes: 5, loads: 30 },
]

/** `all`: an unchanged object, 200 rows, a million rows (REST, then Bulk). */
export function monthly(all: Cost[]): string {
  const [unchanged, some, , million] = all as [Cost, Cost, Cost, Cost]
  const rows = sizes.map(({ name, objects, everyMinutes, loads }) => {
    const runs = (objects * MONTH_MINUTES) / everyMinutes
    // In every second run something has changed.
    const mix: [Cost, number][] = [
      [unchanged, runs / 2],
      [some, runs / 2],
      [million, loads],
    ]
    const sum = (value: (cost: Cost) => number): number =>
      mix.reduce((total, [cost, times]) => total + value(cost) * times, 0)
    const actions = PRICES.actions * sum((cost) => cost.actions + PRICES.fire)
    const requests = sum(({ s3 }) => s3.puts * PRICES.put + s3.gets * PRICES.get)
    const busy = sum(({ cpuSeconds }) => cpuSeconds) / (MONTH_MINUTES * 60)
    const workers = Math.max(1, Math.ceil(busy / MOST_BUSY))
    const compute = workers * PRICES.worker
    const gigabytes = (sum(({ written }) => written) * ROW_BYTES) / 1e9
    const appflow = (runs + loads) * PRICES.run + gigabytes * PRICES.gigabyte
    return [
      name,
      ...[
        Math.round(runs).toLocaleString('en'),
        dollars(actions),
        `${dollars(compute)} (${workers})`,
        dollars(requests),
      ],
      dollars(actions + compute + requests),
      dollars(compute + requests),
      dollars(appflow),
    ]
  })
  const head = ['a month', 'runs', 'actions', 'compute (workers)', 'S3 requests', 'together', 'own Temporal', 'AppFlow']
  return [
    table(head, rows),
    'Assumed: each object is a flow of its own on a schedule (objects of one flow share its start, and cost less); in every',
    "second run 200 rows have changed; actions at $50 a million, without a plan's base fee; a worker of 1 vCPU and 2 GB on",
    'Fargate that never stops, busy to a half at most; S3 at $0.005 a thousand PUTs and $0.0004 a thousand GETs; AppFlow at',
    "$0.001 a run and $0.02 a GB. Storage, traffic and what a Temporal of one's own runs on cost the same or are left out.",
  ].join('\n')
}

const dollars = (value: number): string => `$${value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en')}`
