/**
 * Data made to hurt, and the arithmetic that gives every row its own: values depend on (seed, object, field, row) alone
 * and are made when they are asked for, so that a table of any size costs no memory.
 */

/** Text stays text; numbers are exact decimal text; dates, times and instants are ISO text. */
export type Value = string | boolean | null

export const HURTING_TEXT: readonly string[] = [
  `O'Brien & "Sons" \\ Co`,
  'two\nlines',
  'carriage\r\nreturn',
  'tab\tstop',
  '株式会社レイクワード',
  'emoji 👩‍👩‍👧‍👦 🏳️‍🌈',
  'combining e\u0301 n\u0303',
  'مرحبا RTL \u202e!',
  '',
  'N/A',
  'NULL',
  'null',
  '\\N',
  '#N/A',
  '01234',
  '1e5',
  '+4930123456',
  '-0',
  'NaN',
  'Infinity',
  'true',
  '2024-02-30',
  '=1+1',
  'a,b;c|d',
  '"quoted"',
  "''",
  '%_%',
  'Straße İstanbul ﬁ',
  'line\u2028separator',
  '{"json":[1,2]}',
  '</script>',
  '\u00a0',
  'nul \\u0000',
  '𝒜𝓈𝓉𝓇𝒶𝓁',
]

export const HURTING_DATES: readonly string[] = [
  '1700-01-01',
  '4000-12-31',
  '2024-02-29',
  '2000-02-29',
  '1900-02-28',
  '1969-12-31',
  '1970-01-01',
  '1582-10-15',
  '2038-01-19',
]

export const HURTING_INSTANTS: readonly string[] = [
  '1700-01-01T00:00:00.000Z',
  '4000-12-31T23:59:59.000Z',
  '2024-02-29T23:59:59.000Z',
  '1969-12-31T23:59:59.000Z',
  '2038-01-19T03:14:08.000Z',
  '2024-03-31T01:30:00.000Z',
]

export const HURTING_TIMES: readonly string[] = ['00:00:00.000Z', '23:59:59.999Z', '10:15:00.000Z', '00:00:00.001Z']

const PLACES = ['Berlin', 'München', 'São Paulo', '東京', 'Kraków', "L'Aquila", 'New York', 'Αθήνα', 'Malmö', 'Zürich']
const WORDS = ['Acme', 'Globex', 'Initech', 'Umbrella', 'Hooli', 'Stark', 'Wayne', 'Wonka', 'Tyrell', 'Cyberdyne']

/** 32 well-mixed bits of a row and a salt (murmur3's finaliser). */
export function mix(row: number, salt: number): number {
  let hash = Math.imul(row + 0x9e3779b9, 0x85ebca6b) ^ salt
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

export function saltOf(text: string, seed: number): number {
  let hash = seed | 0
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash
}

/** One of `pool` for the first rows (each entry appears), then for one row in eight; else undefined. */
export function hurting<T>(pool: readonly T[], row: number, hash: number): T | undefined {
  if (row < pool.length) return pool[row]
  return (hash & 7) === 0 ? pool[(hash >>> 3) % pool.length] : undefined
}

export function pick<T>(pool: readonly T[], hash: number): T {
  return pool[hash % pool.length]!
}

export function word(hash: number): string {
  return pick(WORDS, hash)
}

export function place(hash: number): string {
  return pick(PLACES, hash)
}

export function isoDate(days: number): string {
  let text = DAYS.get(days)
  if (text === undefined) {
    text = new Date(days * 86_400_000).toISOString().slice(0, 10)
    DAYS.set(days, text)
  }
  return text
}

/** `2024-02-29T23:59:59.000Z`, much faster than Date where days repeat. */
export function isoInstant(millis: number): string {
  const days = Math.floor(millis / 86_400_000)
  return `${isoDate(days)}T${isoTime(millis - days * 86_400_000)}`
}

export function isoTime(millis: number): string {
  const seconds = Math.floor(millis / 1000)
  const minutes = Math.floor(seconds / 60)
  const part = String(millis - seconds * 1000).padStart(3, '0')
  return `${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}.${part}Z`
}

const DAYS = new Map<number, string>()
const TWO = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/** A number with up to `whole` digits before the point and `scale` after it, either sign, often short. */
export function decimalText(hash: number, whole: number, scale: number): string {
  const digits = 1 + ((hash >>> 4) % Math.min(whole, 9))
  const integer = hash % 10 ** digits
  const part = scale === 0 || (hash & 3) === 0 ? '' : String(hash % 10 ** Math.min(scale, 2)).replace(/0+$/, '')
  const text = part ? `${integer}.${part.padStart(1, '0')}` : String(integer)
  return (hash & 0x300) === 0 && Number(text) !== 0 ? `-${text}` : text
}
