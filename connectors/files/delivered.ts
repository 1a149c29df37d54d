/**
 * Which files a lane has delivered: its state. Pure.
 *
 * Laws
 * - A file is known by 12 bytes of SHA-256 over key and version: one that is overwritten is another.
 * - Files that are listed no more stay known, since a listing may be short for a day; only where more than `MOST_FILES`
 *   are known the ones that are gone are forgotten, and then told.
 */
import { createHash } from 'node:crypto'
import type { Json } from '../connector.ts'
import type { FoundFile } from './file-tree.ts'

/** Files of one pattern. */
export const MOST_FILES = 250_000
const BYTES = 12

export type Mark = string

/** 16 letters of base64. */
export function markOf({ key, version }: Pick<FoundFile, 'key' | 'version'>): Mark {
  return createHash('sha256').update(`${key}\u0000${version}`).digest().toString('base64', 0, BYTES)
}

export function readMarks(state: Json): Set<Mark> {
  if (state === null) return new Set()
  const { files } = state as { files: string }
  return new Set(files.match(/.{16}/gs) ?? [])
}

/** null: nothing was ever delivered. */
export function writeMarks(marks: Iterable<Mark>): Json {
  const all = [...new Set(marks)].toSorted()
  return all.length === 0 ? null : { version: 1, files: all.join('') }
}
