/** `worker:` of lakeward.yaml: how much a worker takes on, how it ends, and where it tells how it is. */
import { z } from 'zod'
import { duration } from './flow-values.ts'
import { integer, kind, list, noRepeats, parsed, type Read, shown, strict, text, words } from './strict.ts'

/** As `worker:` is read; every member may be absent. */
export type WorkerOptions = z.output<typeof workerSchema>

const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/

export const address = (about: string) =>
  parsed(about, (written): Read<string> => {
    const port = Number(HOST.exec(written)?.[1] ?? -1)
    if (port >= 1 && port <= 65_535) return { value: written }
    return { refused: words(`${shown(written)} is no address to listen on`, 'host:port, for example 127.0.0.1:9464') }
  })

/** 0 to 1. */
const share = (about: string) =>
  parsed(about, (written): Read<number> => {
    const percent = Number(/^(\d{1,3})%$/.exec(written)?.[1] ?? 0)
    if (percent >= 1 && percent <= 100) return { value: percent / 100 }
    return { refused: words(`${shown(written)} is no share`, 'write a whole number with %: "80%"') }
  })

const collector = z
  .string({ error: ({ input }) => words(`must be an address, not ${kind(input)}`, 'http://127.0.0.1:4317') })
  .regex(/^(?:https?|grpcs?):\/\/[^\s/]+/, { error: words('is no address', 'for example http://127.0.0.1:4317') })
  .describe('Address of an OpenTelemetry collector; one that ends with /v1/metrics is spoken to over HTTP, else gRPC')

const metrics = strict('metrics', {
  prometheus: address('host:port where /metrics is served').optional(),
  otlp: collector.optional(),
})
  .superRefine(({ prometheus, otlp }, context) => {
    if ((prometheus === undefined) !== (otlp === undefined)) return
    const what = prometheus === undefined ? 'names no place' : 'names prometheus and otlp'
    context.addIssue({
      code: 'custom',
      message: words(what, 'exactly one: { prometheus: 127.0.0.1:9464 } or { otlp: URL }'),
    })
  })
  .meta({ description: "Metrics of Temporal's SDK and of Lakeward", minProperties: 1, maxProperties: 1 })

/** Temporal waits for heartbeats between these, seconds; `assemble` checks the same. */
const heartbeat = duration('Silence after which a step goes to another worker, 5s to 600s', 1).refine(
  (ms) => ms >= 5_000 && ms <= 600_000,
  { error: words('is out of range', 'from 5s to 10m') },
)

export const workerSchema = strict('worker', {
  slots: integer('Most units at once; default: by memory and processors', 1).max(1000).optional(),
  memory: share('Take units only while less of the memory is in use: "80%"').optional(),
  cpu: share('Take units only while less of the processors is in use: "90%"').optional(),
  pollers: integer('Most polls at once, per queue and kind; default: by load', 2).max(100).optional(),
  cachedWorkflows: integer('Workflows kept in memory', 0).max(100_000).optional(),
  taskQueues: list('Queues to poll; default: lakeward and those that connections name', text('A queue'))
    .superRefine(noRepeats)
    .optional(),
  grace: duration('How long steps may go on once the worker is told to stop', 1).optional(),
  heartbeat: heartbeat.optional(),
  metrics: metrics.optional(),
  health: address('host:port where /healthz and /readyz are served').optional(),
}).describe('Options of the workers')
