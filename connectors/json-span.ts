/**
 * Where things lie in JSON bytes, without making values of them: so that a page of records can be checked, cut and
 * joined while its numbers keep every digit. Pure.
 *
 * Law: a span is only told when everything up to its end is well-formed in quotes and brackets; cut JSON throws.
 */

export interface Span {
  start: number
  /** Exclusive. */
  end: number
}

export class CutJson extends Error {
  override readonly name = 'CutJson'
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Whole from the outside: begins and ends with the brackets of one object or array. */
export function looksLikeJson(body: Uint8Array): boolean {
  const first = body[skipSpace(body, 0)]
  let last = body.length - 1
  while (last >= 0 && isSpace(body[last]!)) last--
  return (
    (first === OPEN_BRACE && body[last] === CLOSE_BRACE) || (first === OPEN_BRACKET && body[last] === CLOSE_BRACKET)
  )
}

/**
 * Name and value span of each member of the object that begins at `start`. `endOf` may tell where a value ends, for who
 * has looked into it already: a long one is then gone through once.
 */
export function* membersOf(
  bytes: Uint8Array,
  start = 0,
  endOf: (name: string, value: number) => number | undefined = () => undefined,
): Generator<[name: string, value: Span]> {
  let at = expect(bytes, skipSpace(bytes, start), OPEN_BRACE)
  at = skipSpace(bytes, at)
  if (bytes[at] === CLOSE_BRACE) return
  for (;;) {
    const nameEnd = valueEnd(bytes, skipSpace(bytes, at))
    const name = JSON.parse(text(bytes, { start: at, end: nameEnd })) as string
    const value = skipSpace(bytes, expect(bytes, skipSpace(bytes, nameEnd), COLON))
    const end = endOf(name, value) ?? valueEnd(bytes, value)
    yield [name, { start: value, end }]
    at = skipSpace(bytes, end)
    if (bytes[at] === CLOSE_BRACE) return
    at = skipSpace(bytes, expect(bytes, at, COMMA))
  }
}

/** Span of each element of the array that begins at `start`. */
export function elementsOf(bytes: Uint8Array, start: number): Span[] {
  return arrayAt(bytes, start).elements
}

/** As `elementsOf`, and where the array ends. */
export function arrayAt(bytes: Uint8Array, start: number): { elements: Span[]; end: number } {
  const elements: Span[] = []
  let at = skipSpace(bytes, expect(bytes, start, OPEN_BRACKET))
  if (bytes[at] === CLOSE_BRACKET) return { elements, end: at + 1 }
  for (;;) {
    const end = valueEnd(bytes, at)
    elements.push({ start: at, end })
    at = skipSpace(bytes, end)
    if (bytes[at] === CLOSE_BRACKET) return { elements, end: at + 1 }
    at = skipSpace(bytes, expect(bytes, at, COMMA))
  }
}

export function text(bytes: Uint8Array, { start, end }: Span): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}

/** Index after the value that begins at `start`. */
function valueEnd(bytes: Uint8Array, start: number): number {
  const first = bytes[start]
  if (first === QUOTE) return stringEnd(bytes, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return nestedEnd(bytes, start)
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break
  }
  if (at === start || at === bytes.length) throw new CutJson(`no value at byte ${start}`)
  return at
}

/** Byte by byte: the texts of records are short, and a call for each of their quotes costs more than their bytes. */
function stringEnd(bytes: Uint8Array, start: number): number {
  const { length } = bytes
  for (let at = start + 1; at < length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) at++
  }
  throw new CutJson(`the text that begins at byte ${start} has no end`)
}

function nestedEnd(bytes: Uint8Array, start: number): number {
  const { length } = bytes
  const open: number[] = []
  let at = start
  while (at < length) {
    const byte = bytes[at]!
    if (byte === QUOTE) {
      at = stringEnd(bytes, at)
      continue
    }
    // Commas, colons and digits, most of what stands outside of texts, lie below all brackets.
    if (byte >= OPEN_BRACKET) {
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) open.push(byte)
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        // Closing brackets lie two above the opening ones in ASCII.
        if (open.pop() !== byte - 2) throw new CutJson(`a bracket does not fit at byte ${at}`)
        if (open.length === 0) return at + 1
      }
    }
    at++
  }
  throw new CutJson(`what begins at byte ${start} has no end`)
}

function expect(bytes: Uint8Array, at: number, byte: number): number {
  if (bytes[at] !== byte) throw new CutJson(`"${String.fromCharCode(byte)}" is missing at byte ${at}`)
  return at + 1
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && isSpace(bytes[at]!)) at++
  return at
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
