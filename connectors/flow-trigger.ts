/** When a flow runs by itself. */
import { cronProblem } from './flow-cron.ts'
import { duration, timezoneName } from './flow-values.ts'
import { always, isTable, parsed, type Read, strict, words } from './strict.ts'
import type { z } from 'zod'

export type Trigger =
  /** On demand. */
  { kind: 'none' } | { kind: 'cron'; cron: string; timezone: string } | { kind: 'every'; everyMs: number }

const cron = parsed(
  'Five fields: minute, hour, day of month, month, day of week; "0 2 * * *" is every night at two',
  (written): Read<string> => {
    const refused = cronProblem(written)
    return refused === undefined ? { value: written.trim().split(/\s+/).join(' ') } : { refused }
  },
)

export const trigger = strict(
  'trigger',
  {
    cron: cron.optional(),
    every: duration('From start to start', 1).optional(),
    timezone: timezoneName.optional(),
  },
  ['event', 'batch', 'start', 'end', 'jitter', 'catchUp', 'pauseAfterFailures'],
)
  .superRefine((value, context) => {
    if (!isTable(value)) return
    const named = ['cron', 'every', 'event'].filter((key) => key in value)
    const say = (message: string, path: string[] = []): void => context.addIssue({ code: 'custom', path, message })
    if (named.length === 0) say(words('says no time', 'write cron or every; without a trigger a flow runs on demand'))
    if (named.length > 1) say(words(`has ${named.join(' and ')}`, 'exactly one of cron, every, event'))
    if ('timezone' in value && !('cron' in value)) {
      say(words('a time zone means something to cron only', 'remove it'), ['timezone'])
    }
  }, always)
  .meta({
    description: 'When the flow runs by itself: cron or every; without it, on demand',
    oneOf: [{ required: ['cron'] }, { required: ['every'] }],
  })

export function completeTrigger(written: z.output<typeof trigger> | undefined): Trigger {
  if (written?.cron !== undefined) return { kind: 'cron', cron: written.cron, timezone: written.timezone ?? 'UTC' }
  if (written?.every !== undefined) return { kind: 'every', everyMs: written.every }
  return { kind: 'none' }
}
