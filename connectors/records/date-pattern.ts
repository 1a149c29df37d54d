/**
 * Patterns of dates, in the letters of Java's DateTimeFormatter:
 *
 *   yyyy yy   year          HH H   hour 0-23      S … SSSSSSSSS   fraction of a second
 *   MM M      month         hh h   hour 1-12      a    AM or PM
 *   MMM MMMM  its name      mm m   minute         EEE EEEE   day of the week
 *   dd d      day           ss s   second         DDD D      day of the year
 *   X XX XXX  offset: Z, or +02, +0200, +02:00    'text', '' for a quote; other characters stand for themselves
 *
 * Names are English. Zones are the platform's (`Intl`).
 */
import { civilOf, daysOf } from './instants.ts'

/** An instant on some zone's clock. */
interface Clock {
  /** Days since 1970-01-01, microseconds since midnight. */
  days: number
  micros: number
  /** Seconds east of UTC. */
  offset: number
}
type Part = (clock: Clock) => string
export type DateWriter = (micros: bigint) => string

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const WEEKDAYS = 'Thursday Friday Saturday Sunday Monday Tuesday Wednesday'.split(' ')
const SECOND = 1_000_000
const HOUR = 3600 * SECOND

const civil = ({ days }: Clock) => civilOf(days)
const hour = ({ micros }: Clock) => Math.floor(micros / HOUR)
const weekday = ({ days }: Clock) => WEEKDAYS[((days % 7) + 7) % 7]!
const dayOfYear = (clock: Clock) => clock.days - daysOf(civil(clock).year, 1, 1) + 1

const PARTS: Record<string, Part> = {
  yyyy: (clock) => pad(civil(clock).year, 4),
  yy: (clock) => pad(civil(clock).year % 100, 2),
  MMMM: (clock) => MONTHS[civil(clock).month - 1]!,
  MMM: (clock) => MONTHS[civil(clock).month - 1]!.slice(0, 3),
  EEEE: weekday,
  EEE: (clock) => weekday(clock).slice(0, 3),
  DDD: (clock) => pad(dayOfYear(clock), 3),
  D: (clock) => String(dayOfYear(clock)),
  a: (clock) => (hour(clock) < 12 ? 'AM' : 'PM'),
  X: (clock) => offsetText(clock, '', false),
  XX: (clock) => offsetText(clock, '', true),
  XXX: (clock) => offsetText(clock, ':', true),
  ...oneOrTwo('M', (clock) => civil(clock).month),
  ...oneOrTwo('d', (clock) => civil(clock).day),
  ...oneOrTwo('H', hour),
  ...oneOrTwo('h', (clock) => ((hour(clock) + 11) % 12) + 1),
  ...oneOrTwo('m', ({ micros }) => Math.floor(micros / (60 * SECOND)) % 60),
  ...oneOrTwo('s', ({ micros }) => Math.floor(micros / SECOND) % 60),
}

/** Writer of instants (microseconds since the epoch), or the half-sentence that says what is wrong. */
export function datePattern(pattern: string, timezone: string): DateWriter | { wrong: string } {
  const parts: Part[] = []
  for (const [token] of pattern.matchAll(/'(?:[^']|'')*'?|([A-Za-z])\1*|[^A-Za-z']+/g)) {
    const part = partOf(token)
    if (typeof part === 'string') return { wrong: part }
    parts.push(part)
  }
  const offsetAt = zone(timezone)
  return (instant) => {
    const seconds = Math.floor(Number(instant / 1000n) / 1000)
    const offset = offsetAt(seconds)
    const local = instant + BigInt(offset * SECOND)
    const day = BigInt(24 * HOUR)
    const micros = ((local % day) + day) % day
    const clock = { days: Number((local - micros) / day), micros: Number(micros), offset }
    return parts.map((part) => part(clock)).join('')
  }
}

function partOf(token: string): Part | string {
  if (token === "''") return () => "'"
  if (token.startsWith("'")) {
    if (token.length < 2 || !token.endsWith("'")) return 'it has a quote that is not closed'
    const text = token.slice(1, -1).replaceAll("''", "'")
    return () => text
  }
  if (!/[A-Za-z]/.test(token)) return () => token
  if (/^S{1,9}$/.test(token)) {
    return ({ micros }) => `${pad(micros % SECOND, 6)}000`.slice(0, token.length)
  }
  // The same letter all along, maybe a hundred thousand times.
  return PARTS[token] ?? `'${token.slice(0, 20)}' is none of its letters; put text in single quotes`
}

/** Offsets are asked once per quarter of an hour: no zone changes its clock between two of them. */
function zone(timezone: string): (seconds: number) => number {
  if (timezone === 'UTC') return () => 0
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'gregory',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const known = new Map<number, number>()
  return (seconds) => {
    const quarter = Math.floor(seconds / 900)
    let offset = known.get(quarter)
    if (offset === undefined) {
      offset = offsetOf(format, quarter * 900)
      if (known.size > 100_000) known.clear()
      known.set(quarter, offset)
    }
    return offset
  }
}

function offsetOf(format: Intl.DateTimeFormat, seconds: number): number {
  const found = Object.fromEntries(format.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]))
  const year = found['era'] === 'BC' ? 1 - Number(found['year']) : Number(found['year'])
  const days = daysOf(year, Number(found['month']), Number(found['day']))
  return days * 86_400 + Number(found['hour']) * 3600 + Number(found['minute']) * 60 + Number(found['second']) - seconds
}

function oneOrTwo(letter: string, value: (clock: Clock) => number): Record<string, Part> {
  return {
    [letter]: (clock) => String(value(clock)),
    [letter + letter]: (clock) => pad(value(clock), 2),
  }
}

function offsetText({ offset }: Clock, colon: string, minutes: boolean): string {
  if (offset === 0) return 'Z'
  const size = Math.abs(offset)
  const rest = Math.floor(size / 60) % 60
  const tail = minutes || rest > 0 ? `${colon}${pad(rest, 2)}` : ''
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(size / 3600), 2)}${tail}`
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
