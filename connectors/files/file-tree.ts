/**
 * The port behind a source of files: a bucket's folder or a directory.
 *
 * Law: `read` gives bytes of the version that was listed, and of no other: a file that changes or goes while it is read
 * is a `changed` error, never a mixture. What it gave before belongs to the version all the same.
 */
import { ConnectorError } from '../errors.ts'

export interface FileTree {
  /** The connector, for messages. */
  readonly connector: string
  /** For people: `s3://acme-in/base` or an absolute directory. */
  readonly name: string
  /** Keys use `/` and are relative to the connection's path; in byte order. */
  list(prefix: string): AsyncIterable<FoundFile>
  /** Bytes [start, end), in pieces; to the end of the file without `end`. */
  read(file: FoundFile, start: number, end?: number): AsyncIterable<Uint8Array>
}

/** Of it, what a reader of one file needs. */
export type FileBytes = Pick<FileTree, 'connector' | 'name' | 'read'>

export interface FoundFile {
  key: string
  bytes: number
  /** Another content has another one: an ETag, or size and time of change. */
  version: string
  modifiedMs: number
}

/** The run begins again with the files as they are then: what it staged so far does not count. */
export function changed({ connector, name }: FileBytes, { key }: FoundFile, how: 'has changed' | 'is gone'): Error {
  return new ConnectorError({
    connector,
    doing: `read ${name}/${key}`,
    kind: 'cursor-expired',
    reason: `the file ${how} since it was listed`,
    advice: 'Write files under another name, or elsewhere, and move them here when they are whole; see also `settle`.',
  })
}

/** The file itself is wrong: reading it again will not help. */
export function unreadable({ connector, name }: FileBytes, key: string, reason: string, advice: string): Error {
  return new ConnectorError({ connector, doing: `read ${name}/${key}`, kind: 'rejected', reason, advice })
}
