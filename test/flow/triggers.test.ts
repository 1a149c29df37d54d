/** Triggers by time, and the schedules they become. */
import { describe, expect, it } from 'vitest'
import { specOf } from '../../client/schedules.ts'
import type { JsonObject } from '../../connectors/connector.ts'
import { type Trigger, parseFlow } from '../../connectors/flow.ts'

const SIX_HOURS = 6 * 3_600_000
const HOUR = 3_600_000

function triggerOf(trigger: JsonObject): Trigger {
  const source = { connection: 'crm', objects: ['Account'] }
  return parseFlow({ version: 1, name: 'orders', source, destination: { connection: 'lake' }, trigger }).trigger
}

describe('triggers', () => {
  it.each<[JsonObject, Trigger]>([
    [{ cron: '0 2 * * *' }, { kind: 'cron', cron: '0 2 * * *', timezone: 'UTC', catchUpMs: SIX_HOURS }],
    [
      { cron: ' 0  2 * * MON-FRI ', timezone: 'Asia/Kolkata' },
      { kind: 'cron', cron: '0 2 * * MON-FRI', timezone: 'Asia/Kolkata', catchUpMs: SIX_HOURS },
    ],
    [{ every: '1h' }, { kind: 'every', everyMs: HOUR, catchUpMs: SIX_HOURS }],
    [{ every: '7d' }, { kind: 'every', everyMs: 168 * HOUR, catchUpMs: SIX_HOURS }],
    [
      {
        every: '1h',
        start: '2026-01-01T00:20:00+02:00',
        end: '2027-01-01',
        jitter: '5m',
        catchUp: '2d',
        pauseAfterFailures: 3,
      },
      {
        kind: 'every',
        everyMs: HOUR,
        start: '2025-12-31T22:20:00.000Z',
        end: '2027-01-01T00:00:00.000Z',
        jitterMs: 300_000,
        catchUpMs: 48 * HOUR,
        pauseAfterFailures: 3,
      },
    ],
  ])('%j', (written, trigger) => {
    expect(triggerOf(written)).toEqual(trigger)
  })

  it('every counts from start; start and end bound every trigger', () => {
    const start = '2026-01-01T00:20:00Z'
    expect(specOf(triggerOf({ every: '1h', start, jitter: '5m' }))).toEqual({
      intervals: [{ every: HOUR, offset: 20 * 60_000 }],
      startAt: new Date(start),
      jitter: 300_000,
    })
    // The epoch was a Thursday, and this start is a Friday.
    expect(specOf(triggerOf({ every: '7d', start: '2026-01-02' }))).toMatchObject({
      intervals: [{ offset: 24 * HOUR }],
    })
    expect(specOf(triggerOf({ every: '1h', start: '1969-12-31T23:50:00Z' }))).toMatchObject({
      intervals: [{ offset: 50 * 60_000 }],
    })
    expect(specOf(triggerOf({ cron: '0 2 * * *', start, end: '2027-01-01' }))).toEqual({
      cronExpressions: ['0 2 * * *'],
      timezone: 'UTC',
      startAt: new Date(start),
      endAt: new Date('2027-01-01'),
    })
  })
})
