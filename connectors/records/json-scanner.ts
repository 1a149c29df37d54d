/**
 * JSON bytes token by token, without making values of them.
 *
 * Laws
 * - Accepts what RFC 8259 accepts and nothing else, so a page that is cut anywhere is refused: reading past the end
 *   gives `undefined`, which is in no class of bytes below.
 * - UTF-8 is the caller's to check, once for the whole body.
 */
import { PageError } from './page-error.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const COMMA = 0x2c
const COLON = 0x3a
/** Bytes that end the plain part of a text: quote, backslash, control characters. */
const STOPS = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
)
/** What an escape of one letter stands for; 0: none. */
const ESCAPES = new Uint8Array(256)
for (const [letter, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => pair.split(''))) {
  ESCAPES[letter!.charCodeAt(0)] = meaning!.charCodeAt(0)
}

export class JsonScanner {
  readonly bytes: Uint8Array
  at = 0
  /** The text or number read last lies in bytes [start, end). */
  start = 0
  end = 0
  /** The text read last has escapes: see `unescape`. */
  escaped = false
  #plain: Uint8Array = Buffer.allocUnsafeSlow(1024)

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    // A byte order mark is no JSON, but some servers send it.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.at = 3
  }

  /** The next byte that is no white space; NaN at the end. */
  peek(): number {
    const { bytes } = this
    let at = this.at
    let byte = bytes[at]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at]
    this.at = at
    return byte ?? Number.NaN
  }

  expect(byte: number): void {
    if (this.peek() !== byte) this.fail()
    this.at++
  }

  /** After a member or element: true where another one follows, false at the closing bracket. */
  more(close: number): boolean {
    const byte = this.peek()
    if (byte !== COMMA && byte !== close) this.fail()
    this.at++
    return byte === COMMA
  }

  /** Stands on the opening quote; leaves the text without its quotes in `start`, `end`. */
  text(): void {
    const { bytes } = this
    let at = this.at + 1
    this.start = at
    this.escaped = false
    for (;;) {
      while (STOPS[bytes[at]!] === 0) at++
      const byte = bytes[at]
      if (byte === QUOTE) break
      if (byte !== BACKSLASH) this.fail(at)
      this.escaped = true
      const letter = bytes[at + 1]
      if (letter === 0x75) {
        if (!(hex4(bytes, at + 2) >= 0)) this.fail(at)
        at += 6
      } else {
        if (!ESCAPES[letter!]) this.fail(at)
        at += 2
      }
    }
    this.end = at
    this.at = at + 1
  }

  /** The text read last without its escapes: bytes [0, length) of what is returned, good until the next call. */
  unescape(): { bytes: Uint8Array; length: number } {
    // An escape is never shorter than its meaning.
    if (this.#plain.length < this.end - this.start) this.#plain = Buffer.allocUnsafeSlow((this.end - this.start) * 2)
    return { bytes: this.#plain, length: unescape(this.bytes, this.start, this.end, this.#plain, 0) }
  }

  /** The text read last as a string. */
  string(): string {
    if (!this.escaped) return this.slice(this.start, this.end)
    const { bytes, length } = this.unescape()
    return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString()
  }

  /** Stands on the first byte of a number; leaves it in `start`, `end`. */
  number(): void {
    const { bytes } = this
    let at = this.at
    this.start = at
    if (bytes[at] === 0x2d) at++
    if (bytes[at] === 0x30) at++
    else at = this.#digits(at)
    if (bytes[at] === 0x2e) at = this.#digits(at + 1)
    if ((bytes[at]! | 0x20) === 0x65) {
      const sign = bytes[at + 1]
      at = this.#digits(sign === 0x2b || sign === 0x2d ? at + 2 : at + 1)
    }
    this.end = at
    this.at = at
  }

  /** Stands on the first byte of true, false or null. */
  word(): 'true' | 'false' | 'null' {
    const first = this.bytes[this.at]
    const word = first === 0x74 ? 'true' : first === 0x66 ? 'false' : 'null'
    for (let i = 0; i < word.length; i++) if (this.bytes[this.at + i] !== word.charCodeAt(i)) this.fail(this.at + i)
    this.at += word.length
    return word
  }

  /** Any value, to its end; leaves it in `start`, `end`. */
  skip(): void {
    const first = this.peek()
    const start = this.at
    if (first === OPEN_BRACE || first === OPEN_BRACKET) this.#skipNested(first)
    else this.#skipScalar(first)
    this.start = start
    this.end = this.at
  }

  slice(start: number, end: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, end - start).toString()
  }

  /** Nothing but white space is left. */
  finish(): void {
    if (!Number.isNaN(this.peek())) this.fail()
  }

  fail(at = this.at): never {
    throw new PageError(
      at >= this.bytes.length
        ? `the JSON is cut off after ${this.bytes.length} bytes`
        : `the JSON is malformed at byte ${at}`,
    )
  }

  #digits(from: number): number {
    const { bytes } = this
    let at = from
    while (bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++
    if (at === from) this.fail(at)
    return at
  }

  #skipScalar(first: number): void {
    if (first === QUOTE) this.text()
    else if (first === 0x2d || (first >= 0x30 && first <= 0x39)) this.number()
    else this.word()
  }

  /** Without recursion: a page may nest deeper than the stack is. */
  #skipNested(outermost: number): void {
    const open: number[] = [outermost]
    this.at++
    let first = true
    while (open.length > 0) {
      const close = open.at(-1)! + 2 // in ASCII a closing bracket lies two behind its opening one
      if (this.peek() === close && first) this.at++
      else if (!first && !this.more(close)) first = false
      else {
        if (close === CLOSE_BRACE) this.name()
        const next = this.peek()
        first = next === OPEN_BRACE || next === OPEN_BRACKET
        if (first) {
          open.push(next)
          this.at++
        } else this.#skipScalar(next)
        continue
      }
      open.pop()
      first = false
    }
  }

  /** A member's name and its colon; leaves the name in `start`, `end`. */
  name(): void {
    if (this.peek() !== QUOTE) this.fail()
    this.text()
    if (this.bytes[this.at] === COLON) this.at++
    else this.expect(COLON)
  }
}

/** The meaning of a text whose escapes are good; \uXXXX has six bytes for at most three. */
export function unescape(bytes: Uint8Array, start: number, end: number, out: Uint8Array, from: number): number {
  let to = from
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte !== BACKSLASH) {
      out[to++] = byte
      continue
    }
    const letter = bytes[++at]!
    if (letter !== 0x75) {
      out[to++] = ESCAPES[letter]!
      continue
    }
    let point = hex4(bytes, at + 1)
    at += 4
    if (point >= 0xd800 && point <= 0xdfff) {
      const low = point <= 0xdbff && bytes[at + 1] === BACKSLASH && bytes[at + 2] === 0x75 ? hex4(bytes, at + 3) : 0
      if (low >= 0xdc00 && low <= 0xdfff) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00)
        at += 6
      } else point = 0xfffd // half of a pair has no UTF-8
    }
    to = putCodePoint(out, to, point)
  }
  return to
}

function hex4(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i]!
    const digit = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57
    if (!(digit >= 0 && digit < 16) || (byte > 0x39 && digit < 10)) return -1
    value = value * 16 + digit
  }
  return value
}

function putCodePoint(out: Uint8Array, from: number, point: number): number {
  let at = from
  if (point < 0x80) out[at++] = point
  else if (point < 0x800) {
    out[at++] = 0xc0 | (point >> 6)
    out[at++] = 0x80 | (point & 0x3f)
  } else if (point < 0x10000) {
    out[at++] = 0xe0 | (point >> 12)
    out[at++] = 0x80 | ((point >> 6) & 0x3f)
    out[at++] = 0x80 | (point & 0x3f)
  } else {
    out[at++] = 0xf0 | (point >> 18)
    out[at++] = 0x80 | ((point >> 12) & 0x3f)
    out[at++] = 0x80 | ((point >> 6) & 0x3f)
    out[at++] = 0x80 | (point & 0x3f)
  }
  return at
}
