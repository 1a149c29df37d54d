/** Block compression of Parquet pages: zstd where Node has it (from 22.15), snappy elsewhere. Both are native code. */
import { createRequire } from 'node:module'
import zlib from 'node:zlib'

export interface Codec {
  name: 'zstd' | 'snappy'
  /** Its number in Parquet's CompressionCodec. */
  id: number
  compress(bytes: Uint8Array): Uint8Array
}

/** Level 1 is as small as the default on records, in half the time. */
const LEVEL = 1

let chosen: Codec | undefined

export function pageCodec(): Codec {
  chosen ??= zstd() ?? snappy()
  return chosen
}

type ZstdCompress = (bytes: Uint8Array, options: object) => Uint8Array

function zstd(): Codec | undefined {
  const { zstdCompressSync, constants } = zlib as unknown as {
    zstdCompressSync?: ZstdCompress
    constants: Record<string, number>
  }
  const level = constants['ZSTD_c_compressionLevel']
  if (!zstdCompressSync || level === undefined) return undefined
  const params = { [level]: LEVEL }
  return {
    name: 'zstd',
    id: 6,
    // Output of one piece, mostly: pieces are put together by a copy, and more memory than that is waste to collect.
    compress(bytes) {
      const chunkSize = Math.max(1 << 14, bytes.length >> 1)
      return zstdCompressSync(bytes, { params, chunkSize, pledgedSrcSize: bytes.length })
    },
  }
}

export function snappy(): Codec {
  // Loaded only where it is needed: it brings a native library.
  const library = createRequire(import.meta.url)('snappy') as { compressSync(bytes: Uint8Array): Uint8Array }
  return { name: 'snappy', id: 1, compress: (bytes) => library.compressSync(bytes) }
}
