/** What stands beside a page's records, and where they begin and end: a skim that makes no record an object. */
import { isUtf8 } from 'node:buffer'
import type { Json, JsonObject } from '../connector.ts'
import { missing, oneLine } from './json-records.ts'
import { JsonScanner } from './json-scanner.ts'
import { PageError } from './page-error.ts'

export interface Envelope {
  /** Members beside the way to the array; of two with one name the deeper wins. Values above 16 KB are left out. */
  envelope: JsonObject
  /** First and last record as the JSON text that the source wrote; null where there is none. */
  records: { count: number; first: string | null; last: string | null }
}

const LARGEST = 16 * 1024

/** Throws `PageError` for what is not whole JSON in UTF-8 with an array at `path`. */
export function readEnvelope(body: Uint8Array, path: string[]): Envelope {
  if (!isUtf8(body)) throw new PageError('the page is not valid UTF-8')
  const scanner = new JsonScanner(body)
  const levels: JsonObject[] = path.map(() => ({}))
  const records = descend(scanner, path, 0, levels)
  scanner.finish()
  return { envelope: Object.fromEntries(levels.flatMap((level) => Object.entries(level))), records }
}

function descend(scanner: JsonScanner, path: string[], depth: number, levels: JsonObject[]): Envelope['records'] {
  if (depth === path.length) return elements(scanner, path)
  if (scanner.peek() !== 0x7b) throw missing(path)
  scanner.at++
  let found: Envelope['records'] | undefined
  let more = scanner.peek() !== 0x7d
  if (!more) scanner.at++
  while (more) {
    scanner.name()
    const name = scanner.string()
    if (name === path[depth]) {
      if (found) throw new PageError(`the JSON has ${path.slice(0, depth + 1).join('.')} twice`)
      found = descend(scanner, path, depth + 1, levels)
    } else {
      scanner.skip()
      const { start, end } = scanner
      if (end - start <= LARGEST) setOwn(levels[depth]!, name, JSON.parse(scanner.slice(start, end)) as Json)
    }
    more = scanner.more(0x7d)
  }
  if (!found) throw missing(path)
  return found
}

function elements(scanner: JsonScanner, path: string[]): Envelope['records'] {
  if (scanner.peek() !== 0x5b) throw missing(path)
  scanner.at++
  if (scanner.peek() === 0x5d) {
    scanner.at++
    return { count: 0, first: null, last: null }
  }
  let count = 0
  let first: string | null = null
  do {
    scanner.skip()
    if (count++ === 0) first = oneLine(scanner.slice(scanner.start, scanner.end))
  } while (scanner.more(0x5d))
  return { count, first, last: oneLine(scanner.slice(scanner.start, scanner.end)) }
}

/** A member called `__proto__` is a member like any other. */
function setOwn(target: JsonObject, name: string, value: Json): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}
