/** Where records lie in the text of an event. Pure: the text of a record is the event's, byte by byte. */
import { elementsOf, membersOf, text } from './json-span.ts'
import type { Span } from './json-span.ts'

const OPEN_BRACKET = 0x5b
const OPEN_BRACE = 0x7b

/** Texts of the records; a list is several. `path`: names with dots. Nothing there: none. */
export function recordsIn(body: string, path?: string): string[] {
  if (path === undefined) return [body]
  const bytes = Buffer.from(body)
  let start = leading(bytes)
  let span: Span | undefined
  for (const name of path.split('.')) {
    if (bytes[start] !== OPEN_BRACE) return []
    span = undefined
    for (const [member, value] of membersOf(bytes, start)) if (member === name) span = value
    if (!span) return []
    start = span.start
  }
  if (!span) return [body]
  if (bytes[start] !== OPEN_BRACKET) return [text(bytes, span)]
  return [...elementsOf(bytes, start)].map((one) => text(bytes, one))
}

function leading(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length && bytes[at]! <= 0x20) at++
  return at
}
