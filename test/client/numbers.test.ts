import { expect, test } from 'vitest'
import { bytes, count, counted, duration, time, when } from '../../client/terminal/numbers.ts'

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [18_200, '18,200'],
  [1_234_567.6, '1,234,568'],
])('count %d', (value, text) => {
  expect(count(value)).toBe(text)
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [999_949, '999.9 kB'],
  [999_999, '1.0 MB'],
  [256_000_000, '256.0 MB'],
  [3.2e12, '3.2 TB'],
])('bytes %d', (value, text) => {
  expect(bytes(value)).toBe(text)
})

test.each([
  [-5, '0 ms'],
  [850, '850 ms'],
  [999.7, '1.0 s'],
  [12_340, '12.3 s'],
  [59_960, '1 min'],
  [60_000, '1 min'],
  [245_000, '4 min 5 s'],
  [7_380_000, '2 h 3 min'],
  [3_600_000, '1 h'],
  [439_200_000, '5 d 2 h'],
])('duration %d', (value, text) => {
  expect(duration(value)).toBe(text)
})

test('words and times', () => {
  const now = new Date('2026-05-06T11:56:44.900Z')
  expect(counted(1, 'row')).toBe('1 row')
  expect(counted(2000, 'entry', 'entries')).toBe('2,000 entries')
  expect(time(now)).toBe('2026-05-06 11:56:44 UTC')
  expect(when(new Date('2026-05-06T11:53:44.900Z'), now)).toBe('3 min ago')
  expect(when(new Date('2026-05-06T14:01:44.900Z'), now)).toBe('in 2 h 5 min')
  expect(when(now, now)).toBe('now')
})
