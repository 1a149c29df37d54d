/** Right things made wrong: JSON values, texts of lines, bytes; one to three changes each. */
import { damaged, text as oddText, type Chance } from '../../records/pages/chance.ts'

type Table = Record<string, unknown>

const NUMBERS = [0, -0, -1, 1, 2, 0.5, 1e-7, 99_999_999, 100_000_000, 2 ** 31, 2 ** 53, 1e21, 1e308, -1e308]
const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '', ' ', '<<', 'undefined', 'null']
const TEXTS = [
  '',
  ' ',
  '.',
  '..',
  '../..',
  '/',
  '\0',
  '\u001b[31mred',
  '\u202e',
  '\ud800',
  '%s%n',
  '${x}',
  '{{x}}',
  '{',
]

/** A copy with one to three members removed, doubled, renamed, nested, or of other types. */
export function mutated(value: unknown, chance: Chance): unknown {
  let copy = structuredClone(value)
  for (let left = 1 + chance.int(3); left > 0; left--) copy = changed(copy, chance)
  return copy
}

function changed(root: unknown, chance: Chance): unknown {
  const places = placesIn(root)
  const place = chance.pick(places)
  if (place === undefined) return odd(chance)
  const { holder, key } = place
  const at = holder as Table
  const put = (name: string | number, value: unknown): void => {
    Object.defineProperty(at, name, { value, enumerable: true, configurable: true, writable: true })
  }
  const value = at[key]
  switch (chance.int(9)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else delete at[key]
      return root
    case 1:
      if (Array.isArray(holder)) holder.push(structuredClone(value))
      else put(`${key}${chance.pick(['s', '_', ' ', '2'])}`, structuredClone(value))
      return root
    case 2: {
      if (Array.isArray(holder)) return root
      delete at[key]
      put(chance.once(3) ? chance.pick(NAMES) : misspelled(String(key), chance), value)
      return root
    }
    case 3:
      put(key, [value])
      return root
    case 4:
      put(key, { [chance.once(2) ? String(key) : chance.pick(NAMES)]: value })
      return root
    case 5:
      put(key, structuredClone(chance.pick(places)?.holder))
      return root
    case 6:
      put(key, kinned(value, chance))
      return root
    default:
      put(key, odd(chance))
      return root
  }
}

interface Place {
  holder: object
  key: string | number
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return []
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value)
  return keys.flatMap((key) => [{ holder: value, key }, ...placesIn((value as Table)[key])])
}

/** Of the same kind, and another value. */
function kinned(value: unknown, chance: Chance): unknown {
  if (typeof value === 'number') return chance.pick([...NUMBERS, value + 1, value - 1])
  if (typeof value === 'boolean') return !value
  if (typeof value !== 'string') return odd(chance)
  return misspelled(chance.once(3) ? chance.pick(TEXTS) : value, chance)
}

export function odd(chance: Chance): unknown {
  switch (chance.int(8)) {
    case 0:
      return null
    case 1:
      return chance.once(2)
    case 2:
      return chance.pick(NUMBERS)
    case 3:
      return chance.once(9) ? 'x'.repeat(100_000) : chance.pick(TEXTS)
    case 4:
      return chance.once(2) ? [] : {}
    case 5:
      return chance.once(20) ? nested(chance.pick([10, 70, 1000]), chance) : [odd(chance), odd(chance)]
    case 6:
      return { [chance.pick(NAMES)]: odd(chance) }
    default:
      return oddText(chance)
  }
}

function nested(depth: number, chance: Chance): unknown {
  let value: unknown = odd(chance)
  for (let left = depth; left > 0; left--) value = chance.once(2) ? [value] : { a: value }
  return value
}

function misspelled(text: string, chance: Chance): string {
  const at = chance.int(text.length + 1)
  const put = chance.once(2) ? String.fromCodePoint(chance.pick([0x61, 0x20, 0x2e, 0x2f, 0x00, 0x0a, 0x1f600])) : ''
  return text.slice(0, at) + put + text.slice(at + chance.int(2))
}

/** Bytes cut, doubled, exchanged, or with another thing in the middle; often not what they were at all. */
export function mangled(body: Uint8Array, chance: Chance): Buffer {
  const bytes = Buffer.from(body)
  switch (chance.int(8)) {
    case 0:
      return bytes.subarray(0, chance.int(bytes.length))
    case 1:
      return bytes.subarray(chance.int(bytes.length))
    case 2:
      return Buffer.concat([bytes, bytes.subarray(chance.int(bytes.length))])
    case 3: {
      const [from, to] = [chance.int(bytes.length), chance.int(bytes.length)].toSorted((a, b) => a - b) as [
        number,
        number,
      ]
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
    }
    case 4:
      return chance.pick(WHOLE)
    default: {
      let left = 1 + chance.int(3)
      let now: Buffer = bytes
      while (left-- > 0) now = damaged(now, chance)
      return now
    }
  }
}

const WHOLE = [
  '',
  ' ',
  '\0',
  'null',
  '[]',
  '{}',
  '0',
  '"x"',
  'true',
  '[null]',
  '{"version":1}',
  '{"version":2}',
  '\ufeff{}',
]
  .concat(['<!DOCTYPE html><html><body><h1>503</h1></body></html>', '['.repeat(20_000), '{"a":'.repeat(20_000)])
  .map((text) => Buffer.from(text))
  .concat([Buffer.from([0xff, 0xfe, 0x7b, 0x00]), Buffer.alloc(1000)])

/** Lines removed, doubled, moved, indented otherwise; anchors, aliases, tags and control characters put in. */
export function miswritten(text: string, chance: Chance): string {
  let lines = text.split('\n')
  for (let left = 1 + chance.int(3); left > 0; left--) lines = rewritten(lines, chance)
  return lines.join('\n')
}

const PIECES = [
  '&a ',
  '*a',
  '<<: *a',
  '!!binary ',
  '!x ',
  '- ',
  '? ',
  ': ',
  '#',
  '|',
  '>',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '%YAML 1.1',
  '---',
  '...',
].concat([
  '\t',
  '\r',
  '\0',
  '\u001b',
  '\u007f',
  '\u2028',
  '\ufeff',
  '😀',
  '~',
  '0x',
  '.inf',
  '.nan',
  '1e400',
  '012',
  '{ env: X }',
  '&a [*a]',
  ',',
])

function rewritten(lines: string[], chance: Chance): string[] {
  if (lines.length === 0) return ['']
  const at = chance.int(lines.length)
  const line = lines[at]!
  const but = (...put: string[]): string[] => [...lines.slice(0, at), ...put, ...lines.slice(at + 1)]
  switch (chance.int(10)) {
    case 0:
      return but()
    case 1:
      return but(line, line)
    case 2:
      return but(chance.once(2) ? ` ${line}` : `  ${line}`)
    case 3:
      return but(line.replace(/^ {1,2}/, ''))
    case 4:
      return but(chance.pick(lines), line)
    case 5:
      return but(misspelled(line, chance))
    case 6:
      return but(line.replace(/: .*$/, `: ${chance.once(2) ? chance.pick(PIECES) : JSON.stringify(odd(chance))}`))
    case 7:
      return but(line.replace(/^(\s*)(\S*)/, `$1$2${chance.pick(PIECES)}`))
    case 8:
      return chance.once(4) ? lines.slice(0, at) : but(line + oddText(chance))
    default: {
      const column = chance.int(line.length + 1)
      return but(line.slice(0, column) + chance.pick(PIECES) + line.slice(column))
    }
  }
}
