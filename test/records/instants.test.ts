import { describe, expect, it } from 'vitest'
import {
  civilOf,
  dateText,
  daysOf,
  parseDate,
  parseTime,
  parseTimestamp,
  timeText,
  timestampText,
} from '../../connectors/records/instants.ts'
import { randoms } from './tables.ts'

type Parse = typeof parseTimestamp
/** Among other bytes, so that reading beyond the end shows. */
const parsed = (parse: Parse, text: string) => {
  const bytes = Buffer.from(`0${text}0`)
  return parse(bytes, 1, bytes.length - 1)
}
const instant = (text: string) => {
  const micros = parsed(parseTimestamp, text)
  return Number.isNaN(micros) ? null : timestampText(BigInt(micros))
}

describe('timestamps', () => {
  it.each([
    ['2026-05-06T11:56:44.000+0000', '2026-05-06T11:56:44Z'],
    ['2026-05-06T11:56:44.000Z', '2026-05-06T11:56:44Z'],
    ['2026-05-06T11:56:44+02:00', '2026-05-06T09:56:44Z'],
    ['2026-05-06T11:56:44-0530', '2026-05-06T17:26:44Z'],
    ['2026-05-06T00:30:00+01', '2026-05-05T23:30:00Z'],
    ['2026-05-06T11:56:44.1Z', '2026-05-06T11:56:44.100Z'],
    ['2026-05-06T11:56:44.123456Z', '2026-05-06T11:56:44.123456Z'],
    ['2026-05-06T11:56:44.123456999Z', '2026-05-06T11:56:44.123456Z'],
    ['2026-05-06 11:56:44', '2026-05-06T11:56:44Z'],
    ['2026-05-06T11:56Z', '2026-05-06T11:56:00Z'],
    ['2026-05-06', '2026-05-06T00:00:00Z'],
    ['1700-01-01T00:00:00.000+0000', '1700-01-01T00:00:00Z'],
    ['4000-12-31T23:59:59.999999Z', '4000-12-31T23:59:59.999999Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
    ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
  ])('%s is %s', (text, shown) => expect(instant(text)).toBe(shown))

  it.each([
    '',
    '2026',
    '2026-05-06T',
    '2026-02-30T00:00:00Z',
    '2025-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-05-06T24:00:00Z',
    '2026-05-06T11:60:00Z',
    '2026-05-06T11:56:61Z',
    '2026-05-06T11:56:44.Z',
    '2026-05-06T11:56:44.1234567890Z',
    '2026-05-06T11:56:44+',
    '2026-05-06T11:56:44+2',
    '2026-05-06T11:56:44ZZ',
    '2026-05-06X11:56:44',
    '06/05/2026',
    '0000-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '2026-05-06T11:56:44 UTC',
    '1700000000',
  ])('%j is none', (text) => expect(instant(text)).toBeNull())

  it('agrees with Date on random instants, in and out', () => {
    const random = randoms(3)
    for (let i = 0; i < 5000; i++) {
      const ms = Math.floor((random() - 0.4) * 2 ** 47)
      const iso = new Date(ms).toISOString()
      if (!/^\d{4}-/.test(iso)) continue
      expect(BigInt(parsed(parseTimestamp, iso)), iso).toBe(BigInt(ms) * 1000n)
      expect(Date.parse(timestampText(BigInt(ms) * 1000n)), iso).toBe(ms)
    }
  })
})

describe('dates', () => {
  it('every day of 800 years comes back', () => {
    const wrong: string[] = []
    for (let days = daysOf(1600, 1, 1); days <= daysOf(2400, 1, 1); days++) {
      const text = dateText(days)
      if (parsed(parseDate, text) !== days) wrong.push(text)
    }
    expect(wrong).toEqual([])
    expect(civilOf(-719_528)).toEqual({ year: 0, month: 1, day: 1 })
  })
  it.each(['2026-5-6', '2026-02-29', '2026-05-06T00:00:00Z', '20260506', 'yesterday!'])('%s is none', (text) =>
    expect(parsed(parseDate, text)).toBeNaN(),
  )
})

describe('times of day', () => {
  it.each([
    ['10:15:00.000Z', '10:15:00'],
    ['23:59:59.999999', '23:59:59.999999'],
    ['00:00', '00:00:00'],
    ['10:15:00.5+00:00', '10:15:00.500'],
  ])('%s is %s', (text, shown) => expect(timeText(Number(parsed(parseTime, text)))).toBe(shown))
  it.each(['10', '24:00', '10:15:00+02:00', '10:15:00.', 'noon!'])('%s is none', (text) =>
    expect(parsed(parseTime, text)).toBeNaN(),
  )
})
