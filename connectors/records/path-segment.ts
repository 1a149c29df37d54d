/**
 * Values as names of folders, safe on every file system and object store.
 *
 * Law: two values that differ have names that differ. Escapes are Hive's (`%2F`), so Hive's readers get the value back;
 * only a name too long for a file system is cut, and then ends with a hash of the whole.
 */
import { createHash } from 'node:crypto'

/** Hive's name for the folder of nulls. */
export const NULL_SEGMENT = '__HIVE_DEFAULT_PARTITION__'

/** File systems take 255 bytes per name. */
const LONGEST = 200
const HASH_DIGITS = 16

/** Hive's set, what Windows does not take, and the mark of names that were cut. */
const UNSAFE = /[\u0000-\u001f\u007f"#%'*/:=?\\{}[\]^<>|~]/u // oxlint-disable-line no-control-regex

/** `prefix` (`Country=`) counts for the length. An empty value is an empty text behind the prefix. */
export function pathSegment(value: string, prefix = ''): string {
  const points = Array.from(value)
  const escaped = points.map((point, i) => {
    // Dots and spaces at the ends mean something to a file system, or are dropped by it.
    const end = i === 0 || i === points.length - 1
    if (i === 0 && value === NULL_SEGMENT) return escape(point)
    return UNSAFE.test(point) || (end && (point === '.' || point === ' ')) ? escape(point) : point
  })
  const whole = prefix + escaped.join('')
  if (Buffer.byteLength(whole) <= LONGEST) return whole
  const hash = createHash('sha256').update(value).digest('hex').slice(0, HASH_DIGITS)
  let cut = prefix
  let bytes = Buffer.byteLength(prefix)
  for (const part of escaped) {
    bytes += Buffer.byteLength(part)
    if (bytes > LONGEST - HASH_DIGITS - 1) break
    cut += part
  }
  return `${cut}~${hash}`
}

function escape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}
