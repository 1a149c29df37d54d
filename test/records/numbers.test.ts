import { describe, expect, it } from 'vitest'
import { TOO_FINE, decimalText, float64, rescale, scaled } from '../../connectors/records/numbers.ts'
import { randoms } from './tables.ts'

const at = (text: string, scale: number, rounding = false) => {
  const bytes = Buffer.from(`<${text}>`)
  return scaled(bytes, 1, bytes.length - 1, scale, rounding)
}

describe('scaled', () => {
  it.each([
    ['0', 2, 0],
    ['-0', 2, 0],
    ['-0.00', 2, 0],
    ['12.3', 2, 1230],
    ['-12.34', 2, -1234],
    ['12.340000', 2, 1234],
    ['1e3', 0, 1000n],
    ['1.5E+2', 1, 1500n],
    ['125e-2', 2, 125n],
    ['+7', 0, 7],
    ['007', 0, 7],
    ['.5', 1, 5],
    ['9999999999999999.99', 2, 999999999999999999n],
    ['123456789012345678901234567890.12345678', 8, 12345678901234567890123456789012345678n],
    ['-123456789012345678901234567890.12345678', 8, -12345678901234567890123456789012345678n],
    ['0.000000000000000000000000000000000001', 36, 1n],
  ])('%s at scale %i', (text, scale, value) => expect(at(text, scale)).toBe(value))

  it.each(['', '-', '.', 'abc', '1a', '1 ', ' 1', '0x10', '1e', '1.2.3', '--1', '1,5', 'NaN', 'Infinity'])(
    '%j is no number',
    (text) => {
      expect(at(text, 2)).toBeNaN()
      expect(float64(Buffer.from(text), 0, text.length)).toBeNaN()
    },
  )

  it.each(['1.234', '0.001', '1e-3', '1234567890123456789.001'])('%s does not fit two digits, and is not cut', (text) =>
    expect(at(text, 2)).toBe(TOO_FINE),
  )

  it.each([
    ['1.234', 123],
    ['1.235', 124],
    ['-1.235', -124],
    ['0.005', 1],
    ['0.0049999999999999999999', 0n],
    ['0.00500000000000000000000', 1n],
    ['1e-30', 0n],
    ['-99999999999999999.995', -10000000000000000000n],
  ])('%s rounds half away from zero', (text, value) => expect(at(text, 2, true)).toBe(value))

  it('agrees with exact arithmetic on random numbers', () => {
    const random = randoms(7)
    for (let i = 0; i < 5000; i++) {
      const digits = String(Math.floor(random() * 10 ** Math.ceil(random() * 15))) + (random() < 0.3 ? '123456789' : '')
      const places = Math.floor(random() * digits.length)
      const scale = places + Math.floor(random() * 5)
      const text = `${random() < 0.5 ? '-' : ''}${digits.slice(0, digits.length - places)}${places ? '.' : ''}${digits.slice(digits.length - places)}`
      const exact = BigInt(digits) * 10n ** BigInt(scale - places) * (text.startsWith('-') ? -1n : 1n)
      expect(BigInt(at(text, scale)), `${text} at ${scale}`).toBe(exact)
      expect(rescale(exact, scale, scale + 2)).toBe(exact * 100n)
    }
  })
})

it('float64 takes the double that JSON.parse takes', () => {
  const random = randoms(11)
  const texts = [
    '0.1',
    '-0',
    '1e22',
    '1e23',
    '123456789012345.6',
    '5e-324',
    '1.7976931348623157e308',
    '0.30000000000000004',
  ]
  for (let i = 0; i < 5000; i++) texts.push(String((random() - 0.5) * 10 ** (random() * 40 - 20)))
  for (const text of texts) expect(float64(Buffer.from(text), 0, text.length), text).toBe(JSON.parse(text))
})

it.each([
  [1234n, 2, '12.34'],
  [-5n, 3, '-0.005'],
  [0n, 2, '0.00'],
  [7n, 0, '7'],
])('%s at scale %i is %s', (unscaled, scale, text) => expect(decimalText(unscaled, scale)).toBe(text))
