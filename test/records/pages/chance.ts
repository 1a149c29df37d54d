/** Choices of a seeded page, and values that scanners trip over. */
import { randoms } from '../tables.ts'

export interface Chance {
  /** 0 to `below` - 1. */
  int(below: number): number
  /** Once in `of`. */
  once(of: number): boolean
  pick<T>(from: readonly T[]): T
}

export function chances(seed: number): Chance {
  // The first numbers of neighbouring seeds are alike.
  const next = randoms(Math.imul(seed + 1, 0x9e3779b1) >>> 0)
  next()
  const int = (below: number): number => Math.floor(next() * below)
  return { int, once: (of) => int(of) === 0, pick: (from) => from[int(from.length)]! }
}

const PIECES =
  'a|b c|Köln|日本|😀|"|""|\\|/|,|;|\n|\r\n|\r|\t|\u0001|\u001f|\u007f|\u0080|\u2028|\ufeff|{"|}|[|]|:|null|\'|0'
const CHARACTERS = PIECES.split('|')

/** Text of any length, often nasty; now and then one that looks like a value of another type. */
export function text(chance: Chance): string {
  if (chance.once(3)) return value(chance)
  if (chance.once(40)) return 'long '.repeat(10 + chance.int(60)) + chance.pick(CHARACTERS)
  return Array.from({ length: chance.int(7) }, () => chance.pick(CHARACTERS)).join('')
}

const ODD = (
  '0|-0|5|-7|12.5|0.05|-.5|.5|5.|1e3|1E+2|-2.50e-1|1e400|00|01|+5|--5|-|1.2.3|999999999|1234567890|2147483647|' +
  '2147483648|-2147483648|-2147483649|123456789012345|1234567890123456|9007199254740993|9999999999999999.99|' +
  '10000000000000000.00|-9999999999999999.99|99999.999|0.1|0.30000000000000004|123456789.123456|1e15|' +
  '9223372036854775807|9223372036854775808|0.000000000000001|100000000000000000000000000000000000000|' +
  '2026-05-06|2026-02-29|2024-02-29|1900-02-29|2000-02-29|0000-01-01|9999-12-31|2026-13-01|2026-00-10|2026-01-00|' +
  '2026-5-06|2026/05/06|20260506|2026-05-06T11:56:44.000+0000|2026-05-06T11:56:44.123Z|2026-05-06T11:56:44Z|' +
  '2026-05-06 11:56:44|2026-05-06T11:56:44.123456Z|2026-05-06T24:00:00.000Z|2026-05-06T11:60:44.000Z|' +
  '2026-05-06T11:56:60.000Z|2026-05-06T11:56:44.000+0200|2026-05-06T11:56:44.000-0000|2026-05-06T11:56|' +
  '0000-01-01T00:00:00.000Z|9999-12-31T23:59:59.999Z|2255-06-05T23:47:34.740Z|2256-06-05T23:47:34.741Z|' +
  '2026-05-06T11:56:44.00Z|2026-05-06t11:56:44.000z|2026-05-06T1a:56:44.000Z|2026:05-06T11:56:44.000Z|' +
  '10:15|10:15:00.5|true|false|TRUE|truE|fals|falsey|null|aGk=|aGk|{"a":[1]}|[]|"x"| |  5'
).split('|')

export function value(chance: Chance): string {
  if (chance.once(4)) return number(chance)
  return chance.pick(ODD)
}

/** As JSON writes them, with up to twenty digits. */
export function number(chance: Chance): string {
  const digits = (most: number): string => Array.from({ length: 1 + chance.int(most) }, () => chance.int(10)).join('')
  const whole = chance.once(5) ? '0' : `${1 + chance.int(9)}${chance.once(2) ? digits(chance.once(9) ? 18 : 7) : ''}`
  const fraction = chance.once(2) ? `.${digits(chance.once(9) ? 18 : 4)}` : ''
  return `${chance.once(4) ? '-' : ''}${whole}${fraction}${chance.once(9) ? `e${chance.int(9) - 4}` : ''}`
}

/** One byte is another, is missing or comes twice. */
export function damaged(body: Buffer, chance: Chance): Buffer {
  const at = chance.int(body.length + 1)
  const byte = Buffer.from([
    chance.pick([0, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x2d, 0x30, 0x3a, 0x5c, 0x5d, 0x7d, 0x65, 0xff]),
  ])
  const rest = body.subarray(at + chance.int(2))
  return Buffer.concat([body.subarray(0, at), ...(chance.once(3) ? [] : [byte]), rest])
}

/** A body that is part of more memory, as bodies are: what lies around it must not matter. */
export function amid(body: Uint8Array, before: string, behind: string): Uint8Array {
  const all = Buffer.concat([Buffer.from(before), body, Buffer.from(behind)])
  return new Uint8Array(all.buffer, all.byteOffset + before.length, body.length)
}
