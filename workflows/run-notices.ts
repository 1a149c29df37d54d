/**
 * A run's notifications: one step at its beginning, beside everything else, and one at its end. None where the flow
 * names nobody.
 *
 * Law: they never fail a run. Who could not be told is a note of it.
 */
import { CancellationScope, isCancellation, log, proxyActivities, workflowInfo } from '@temporalio/workflow'
import type { Json, JsonObject } from '../connectors/connector.ts'
import type { NotifyInput, ObjectResult, RunEnd, RunEvent } from '../activities/digests.ts'
import type { Steps } from '../activities/steps.ts'
import { failed } from './failures.ts'
import * as profiles from './profiles.ts'

/** An event is below 256 KB whatever a run has to tell. */
const MOST_OBJECTS = 50
const MOST_CHANGES = 20
const MOST_TEXT = 200

export class RunNotices {
  /** Of the objects that have ended. */
  results: ObjectResult[] = []
  readonly startedMs: number
  readonly #flow: NotifyInput['flow']
  #first: Promise<string[]> = Promise.resolve([])

  /** Anything may have been sent for a flow; `startedMs`: of the run, where this is not its first workflow. */
  constructor(flow: unknown, startedMs?: number) {
    const { typedSearchAttributes, startTime } = workflowInfo()
    const scheduled = typedSearchAttributes.getAll().some(({ key }) => key.name === 'TemporalScheduledById')
    this.startedMs = startedMs ?? startTime.getTime()
    this.#flow = aboutOf(flow, scheduled)
  }

  started(): void {
    if (this.#wants('started')) this.#first = this.#tell([{ kind: 'started', at: iso(this.startedMs) }], 'beginning')
  }

  /** Notes of what was told first. */
  async settled(): Promise<string[]> {
    return this.#first
  }

  /** `error`: what the run ends with; `deactivated`: why it will not start again by itself. */
  async ended({ error, deactivated }: { error?: unknown; deactivated?: string | null }): Promise<string[]> {
    const at = iso(Date.now())
    const events: RunEvent[] = []
    const results = this.results.toSorted((a, b) => (a.object < b.object ? -1 : 1))
    const objects = results.flatMap(({ object, schemaVersion = null, drift = [] }) =>
      drift.length > 0
        ? { object, schemaVersion, changes: drift.slice(0, MOST_CHANGES).map((change) => cut(change)) }
        : [],
    )
    if (objects.length > 0) events.push({ kind: 'drift', at, objects: objects.slice(0, MOST_OBJECTS) })
    events.push({ kind: 'ended', at, ...endOf(results, error) })
    if (deactivated) events.push({ kind: 'deactivated', at, reason: deactivated })
    const first = await this.#first
    const wanted = events.filter(({ kind }) => this.#wants(kind))
    return wanted.length === 0 ? first : [...first, ...(await this.#tell(wanted, 'end'))]
  }

  #wants(kind: RunEvent['kind']): boolean {
    const { notify } = this.#flow
    if (!Array.isArray(notify)) return false
    return notify.some((target) => {
      const { on } = Object(target) as { on?: unknown }
      return on === undefined || (Array.isArray(on) && on.includes(kind))
    })
  }

  async #tell(events: RunEvent[], what: string): Promise<string[]> {
    const { notifyRun } = proxyActivities<Steps>({ ...profiles.notify, summary: `Tell of the run's ${what}` })
    const { workflowId, firstExecutionRunId: runId } = workflowInfo()
    const run = { workflowId, runId, startedAt: iso(this.startedMs) }
    try {
      return (await CancellationScope.nonCancellable(() => notifyRun({ flow: this.#flow, run, events }))).notes
    } catch (error) {
      const { message } = failed(error)
      log.warn('a notification was not sent', { message })
      return [`The run's ${what} could not be told: ${message}`]
    }
  }
}

function aboutOf(flow: unknown, scheduled: boolean): NotifyInput['flow'] {
  const { name, notify, source, destination } = Object(flow) as Record<string, unknown>
  const { connection: from, objects } = Object(source) as Record<string, unknown>
  const { connection: to, prefix } = Object(destination) as Record<string, unknown>
  const names = (Array.isArray(objects) ? objects : []).map((one: unknown) =>
    text(typeof one === 'string' ? one : (Object(one) as { object?: unknown }).object),
  )
  return {
    name: text(name),
    notify: (notify ?? null) as Json,
    source: { connection: text(from), objects: names.slice(0, MOST_OBJECTS) },
    destination: { connection: text(to), object: text(prefix) },
    trigger: scheduled ? 'SCHEDULED' : 'ONDEMAND',
  }
}

function endOf(results: ObjectResult[], error: unknown): RunEnd {
  const total = (of: (result: ObjectResult) => number): number => results.reduce((sum, one) => sum + of(one), 0)
  const rejected = ({ delivered }: ObjectResult): number => delivered?.rejected ?? 0
  return {
    status: error === undefined ? 'Successful' : isCancellation(error) ? 'Canceled' : 'Failed',
    ...(error === undefined || isCancellation(error) ? {} : { error: cut(failed(error).message, 2_000) }),
    totals: {
      read: total(({ read }) => read),
      left: total(({ filtered, dropped }) => filtered + dropped),
      failed: total((one) => one.quarantined + rejected(one)),
      files: total(({ files }) => files),
      bytes: total(({ bytes }) => bytes),
    },
    objects: results.slice(0, MOST_OBJECTS).map(briefly),
    others: Math.max(0, results.length - MOST_OBJECTS),
  }
}

function briefly({ object, status, read, written, quarantined, from, watermark, error, delivered }: ObjectResult) {
  const more: JsonObject = {
    ...(delivered && { delivered: { ...delivered } }),
    ...(error && { error: cut(error.message) }),
  }
  return { object, status, read, written, quarantined, from, to: watermark, ...more }
}

const iso = (ms: number): string => new Date(ms).toISOString()
const cut = (text: string, most = MOST_TEXT): string => text.slice(0, most)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
