/**
 * The times a trigger means, by the clock on the wall: an oracle of its own, minute by minute, that the server's
 * answers and the simulated year are held against. An hour that the wall shows twice counts twice, one it skips never.
 */
import type { Trigger } from '../../connectors/flow.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Epoch milliseconds, from ≤ time < to. */
export function nominalTimes(trigger: Trigger, from: number, to: number): number[] {
  if (trigger.kind === 'none' || trigger.kind === 'event') return []
  const start = Math.max(from, trigger.start === undefined ? from : Date.parse(trigger.start))
  const end = trigger.end === undefined ? to : Math.min(to, Date.parse(trigger.end) + 1)
  if (trigger.kind === 'every') {
    const phase = trigger.start === undefined ? 0 : Date.parse(trigger.start)
    const times: number[] = []
    const first = phase + Math.ceil((start - phase) / trigger.everyMs) * trigger.everyMs
    for (let time = first; time < end; time += trigger.everyMs) times.push(time)
    return times
  }
  const [minutes, hours, days, months, weekdays] = trigger.cron.split(' ').map(matcher)
  const wall = new Intl.DateTimeFormat('en-GB', { timeZone: trigger.timezone, dateStyle: 'short', timeStyle: 'short' })
  const times: number[] = []
  for (let hour = Math.floor(start / HOUR) * HOUR; hour < end; hour += HOUR) {
    // The clocks of these zones are turned at full hours, and are whole hours apart.
    const [, day, month, year, at] = /^(\d+)\/(\d+)\/(\d+), (\d+):00$/.exec(wall.format(hour))!.map(Number)
    const weekday = new Date(Date.UTC(year!, month! - 1, day)).getUTCDay()
    if (!hours!(at!) || !days!(day!) || !months!(month!) || !weekdays!(weekday)) continue
    for (let minute = 0; minute < 60; minute++) {
      const time = hour + minute * MINUTE
      if (minutes!(minute) && time >= start && time < end) times.push(time)
    }
  }
  return times
}

/** Of cron's spellings, those that the tests use: `*`, numbers, lists, ranges and steps of `*`. */
function matcher(field: string): (value: number) => boolean {
  const parts = field.split(',').map((part): ((value: number) => boolean) => {
    if (part === '*') return () => true
    if (part.startsWith('*/')) return (value) => value % Number(part.slice(2)) === 0
    const [first, last = first] = part.split('-').map(Number)
    return (value) => value >= first! && value <= last!
  })
  return (value) => parts.some((part) => part(value))
}
