/**
 * A file as UTF-8 text, in pieces: inflated where it is gzip or zstd (told by its first bytes, whatever its name), and
 * brought to UTF-8 from the encoding it has.
 *
 * Law: offsets count bytes of that text. Plain UTF-8 is read on from an offset; everything else is read from the
 * beginning again and skipped, which costs time and no memory.
 */
import { Readable, pipeline } from 'node:stream'
import zlib from 'node:zlib'
import type { FileBytes, FoundFile } from './file-tree.ts'
import { unreadable } from './file-tree.ts'

type Pieces = AsyncIterable<Uint8Array>
type Compression = 'none' | 'gzip' | 'zstd'

export const isUtf8Name = (encoding: string): boolean => /^utf-?8$/i.test(encoding)

export async function* textOf(
  tree: FileBytes,
  file: FoundFile,
  encoding: string,
  from: number,
): AsyncGenerator<Uint8Array> {
  if (file.bytes === 0) return
  const straight = isUtf8Name(encoding)
  if (from > 0 && straight && (await compressionAt(tree, file)) === 'none') {
    if (from < file.bytes) yield* tree.read(file, from)
    return
  }
  const pieces = tree.read(file, 0)[Symbol.asyncIterator]()
  try {
    const head = await headOf(pieces)
    const compression = compressionOf(head)
    const raw = chained(head, pieces)
    const plain = compression === 'none' ? raw : inflated(tree, file, compression, raw)
    yield* skipped(straight ? plain : transcoded(tree, file, encoding, plain), from)
  } finally {
    await pieces.return?.()
  }
}

async function compressionAt(tree: FileBytes, file: FoundFile): Promise<Compression> {
  const pieces = tree.read(file, 0, Math.min(4, file.bytes))[Symbol.asyncIterator]()
  try {
    return compressionOf(await headOf(pieces))
  } finally {
    await pieces.return?.()
  }
}

/** The first pieces as one, long enough to tell the compression by. */
async function headOf(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0)
  while (head.length < 4) {
    const { done, value } = await pieces.next()
    if (done) break
    head = head.length === 0 ? value : Buffer.concat([head, value])
  }
  return head
}

async function* chained(head: Uint8Array, pieces: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value
}

function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd ? 'zstd' : 'none'
}

/** Several members one after the other are one text. */
async function* inflated(
  tree: FileBytes,
  file: FoundFile,
  compression: 'gzip' | 'zstd',
  pieces: Pieces,
): AsyncGenerator<Uint8Array> {
  const inflate = compression === 'gzip' ? zlib.createGunzip() : zstd()
  if (!inflate) {
    const advice = 'Run the workers on Node.js 22.15 or newer, or compress with gzip.'
    throw unreadable(tree, file.key, `this Node.js (${process.version}) cannot read zstd`, advice)
  }
  let failed: unknown
  const source = Readable.from(pieces, { objectMode: true })
  source.on('error', (error) => (failed ??= error))
  pipeline(source, inflate, () => {})
  try {
    for await (const piece of inflate) yield piece as Uint8Array
  } catch (error) {
    if (failed !== undefined) throw failed
    const reason = `it is no whole ${compression} file: ${(error as Error).message}`
    throw unreadable(tree, file.key, reason, 'It is cut off or damaged: put a whole one in its place, or remove it.')
  }
}

function zstd(): (NodeJS.ReadWriteStream & AsyncIterable<unknown>) | undefined {
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => zlib.Gunzip }
  return createZstdDecompress?.()
}

async function* transcoded(
  tree: FileBytes,
  { key }: FoundFile,
  encoding: string,
  pieces: Pieces,
): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  const decode = (piece?: Uint8Array): Uint8Array => {
    try {
      return Buffer.from(piece ? decoder.decode(piece, { stream: true }) : decoder.decode())
    } catch {
      throw unreadable(tree, key, `it is not ${encoding}`, 'Correct `encoding`, or the file.')
    }
  }
  for await (const piece of pieces) yield decode(piece)
  yield decode()
}

async function* skipped(pieces: Pieces, from: number): AsyncGenerator<Uint8Array> {
  let left = from
  for await (const piece of pieces) {
    if (left >= piece.length) left -= piece.length
    else {
      yield left === 0 ? piece : piece.subarray(left)
      left = 0
    }
  }
}
