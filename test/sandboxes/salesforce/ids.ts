/**
 * Salesforce record ids: 15 case-sensitive characters, or the same with three more that tell their case apart.
 * Ids of a table ascend with the row number, in byte order, and neighbours differ in case alone again and again.
 *
 * https://help.salesforce.com/s/articleView?id=000385585&type=1
 */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'
const DIGITS = new Map(Array.from(ALPHABET, (char, at) => [char, at]))
const FIRST = 40_000

export function idOf(prefix: string, row: number): string {
  let rest = row + FIRST
  let tail = ''
  for (let digit = 0; digit < 7; digit++) {
    tail = ALPHABET[rest % 62] + tail
    rest = Math.floor(rest / 62)
  }
  return withSuffix(`${prefix}5g000${tail}`)
}

/** The row that `idOf` gives this id, or -1. */
export function rowOf(prefix: string, id: string): number {
  const full = id.length === 15 && isId(id) ? withSuffix(id) : id
  if (!full.startsWith(prefix)) return -1
  let row = 0
  for (const char of full.slice(8, 15)) row = row * 62 + (DIGITS.get(char) ?? 0)
  row -= FIRST
  return row >= 0 && idOf(prefix, row) === full ? row : -1
}

export function isId(text: string): boolean {
  return /^[0-9A-Za-z]{15}$/.test(text) || (/^[0-9A-Za-z]{18}$/.test(text) && withSuffix(text.slice(0, 15)) === text)
}

/** The 18-character form. */
export function longId(id: string): string {
  return id.length === 15 ? withSuffix(id) : id
}

function withSuffix(id: string): string {
  let suffix = ''
  for (let part = 0; part < 3; part++) {
    let bits = 0
    for (let at = 0; at < 5; at++) {
      const code = id.charCodeAt(part * 5 + at)
      if (code >= 65 && code <= 90) bits |= 1 << at
    }
    suffix += SUFFIX[bits]
  }
  return id + suffix
}
