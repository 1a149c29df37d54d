/** A file that is in memory already, for the readers of files. */
import type { FileBytes, FoundFile } from './file-tree.ts'

export function storedFile(
  connector: string,
  name: string,
  key: string,
  bytes: Uint8Array,
): { tree: FileBytes; file: FoundFile } {
  return {
    tree: {
      connector,
      name,
      async *read(_file, start, end) {
        yield bytes.subarray(start, end)
      },
    },
    file: { key, bytes: bytes.length, version: '', modifiedMs: 0 },
  }
}
