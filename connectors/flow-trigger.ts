/** When a flow runs by itself. */
import { cronProblem } from './flow-cron.ts'
import { duration, time, timezoneName } from './flow-values.ts'
import { always, choice, integer, isTable, parsed, type Read, strict, words } from './strict.ts'
import type { z } from 'zod'

export type Trigger =
  /** On demand. */
  | { kind: 'none' }
  | ({ kind: 'cron'; cron: string; timezone: string } & Times)
  | ({ kind: 'every'; everyMs: number } & Times)
  | EventTrigger

/** The flow's listener takes events as they come, and commits them batch by batch. */
export interface EventTrigger {
  kind: 'event'
  /** `webhook`: by the receiver (`lakeward listen`), and by signals; `signal`: by signals alone. */
  event: 'webhook' | 'signal'
  batch: Batching
}

/** A batch is closed so long after its first event, or as soon as it has so many events. */
export interface Batching {
  everyMs: number
  rows: number
}

/** What every trigger by time has. */
interface Times {
  /** ISO instants with Z, whole seconds: no run before, and none after. The phase of `every` counts from `start`. */
  start?: string
  end?: string
  /** A run begins this much later at most; its nominal time stays. */
  jitterMs?: number
  /** How late a run that was missed may still begin. */
  catchUpMs: number
  /** The schedule is paused after so many failed runs in a row. */
  pauseAfterFailures?: number
}

const DEFAULT_CATCH_UP_MS = 6 * 3_600_000
/** Temporal takes no less. */
const LEAST_CATCH_UP_MS = 10_000
/** Temporal remembers the ten newest runs of a schedule, and those are what is counted. */
const MOST_FAILURES = 10

const DEFAULT_BATCH: Batching = { everyMs: 10_000, rows: 10_000 }
const MOST_BATCH_MS = 3_600_000
const MOST_BATCH_ROWS = 100_000

const batch = strict('batch', {
  every: duration('A batch is committed so long after its first event; default 10s', 1)
    .refine((ms) => ms <= MOST_BATCH_MS, { error: words('is too long for events', 'write 1h or less') })
    .optional(),
  rows: integer('A batch of so many events is committed at once; default 10000', 1)
    .max(MOST_BATCH_ROWS, {
      error: words(`must be at most ${MOST_BATCH_ROWS}`, 'more batches are committed one after the other'),
    })
    .optional(),
})

const cron = parsed(
  'Five fields: minute, hour, day of month, month, day of week; "0 2 * * *" is every night at two',
  (written): Read<string> => {
    const refused = cronProblem(written)
    return refused === undefined ? { value: written.trim().split(/\s+/).join(' ') } : { refused }
  },
)

const timed = ['start', 'end', 'jitter', 'catchUp', 'pauseAfterFailures']

const wholeSeconds = (about: string) =>
  time(about).refine((instant) => instant.endsWith('.000Z'), {
    error: words('is finer than seconds', 'schedules go by whole seconds'),
  })

export const trigger = strict('trigger', {
  cron: cron.optional(),
  every: duration('From start to start', 1).optional(),
  timezone: timezoneName.optional(),
  start: wholeSeconds('No run before; `every` counts from it').optional(),
  end: wholeSeconds('No run after').optional(),
  jitter: duration('Runs begin up to this much later, each by another amount', 1).optional(),
  catchUp: duration('How late a missed run may still begin; default 6h', 1)
    .refine((ms) => ms >= LEAST_CATCH_UP_MS, { error: words('is less than Temporal takes', 'write 10s or more') })
    .optional(),
  pauseAfterFailures: integer('Pause after so many failed runs in a row', 1)
    .max(MOST_FAILURES, { error: words(`must be at most ${MOST_FAILURES}`, 'Temporal remembers no more runs') })
    .optional(),
  event: choice(
    'What feeds the flow: webhook, the receiver `lakeward listen`; signal, signals to its workflow alone',
    ['webhook', 'signal'],
    ['changes'],
  ).optional(),
  batch: batch.describe('How events are put together').optional(),
})
  .superRefine((value, context) => {
    if (!isTable(value)) return
    const named = ['cron', 'every', 'event'].filter((key) => key in value)
    const say = (message: string, path: string[] = []): void => context.addIssue({ code: 'custom', path, message })
    if (named.length === 0) {
      say(words('says no time', 'write cron, every or event; without a trigger a flow runs on demand'))
    }
    if (named.length > 1) say(words(`has ${named.join(' and ')}`, 'exactly one of cron, every, event'))
    if ('timezone' in value && !('cron' in value)) {
      say(words('a time zone means something to cron only', 'remove it'), ['timezone'])
    }
    if ('batch' in value && !('event' in value)) {
      say(words('batches mean something to events only', 'remove it'), ['batch'])
    }
    for (const key of 'event' in value ? timed.filter((one) => one in value) : []) {
      say(words(`${key} means something to times only, and events come when they come`, 'remove it'), [key])
    }
    const { start, end, every, jitter } = value as Record<string, unknown>
    if (typeof start === 'string' && typeof end === 'string' && start >= end) {
      say(words('end is not after start: no run would ever begin', 'swap them'), ['end'])
    }
    if (typeof every === 'number' && typeof jitter === 'number' && jitter >= every) {
      say(words('is as long as every: runs would lose their order', 'write less than every'), ['jitter'])
    }
  }, always)
  .meta({
    description: 'When the flow runs by itself: cron, every or event; without it, on demand',
    oneOf: [{ required: ['cron'] }, { required: ['every'] }, { required: ['event'] }],
  })

export function completeTrigger(written: z.output<typeof trigger> | undefined): Trigger {
  if (!written) return { kind: 'none' }
  const { cron: expression, every, timezone = 'UTC', start, end, jitter, catchUp, pauseAfterFailures } = written
  const { event } = written
  if (event !== undefined) {
    const { every: everyMs = DEFAULT_BATCH.everyMs, rows = DEFAULT_BATCH.rows } = written.batch ?? {}
    return { kind: 'event', event, batch: { everyMs, rows } }
  }
  const times: Times = {
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    ...(jitter !== undefined && { jitterMs: jitter }),
    catchUpMs: catchUp ?? DEFAULT_CATCH_UP_MS,
    ...(pauseAfterFailures !== undefined && { pauseAfterFailures }),
  }
  if (expression !== undefined) return { kind: 'cron', cron: expression, timezone, ...times }
  if (every !== undefined) return { kind: 'every', everyMs: every, ...times }
  return { kind: 'none' }
}
