/** Files below a directory as keys in byte order: `a-b` stands before `a/b`, as an object store would list them. */
import type { FileSystem } from './file-system.ts'
import { hasCode } from './file-system.ts'

export interface WalkOptions {
  prefix: string
  startAt?: string
  /** Folders and files, as keys, that are not shown. */
  hidden?: (key: string) => boolean
}

export async function* walk(fs: FileSystem, root: string, options: WalkOptions): AsyncGenerator<string> {
  const { prefix } = options
  const slash = prefix.lastIndexOf('/')
  yield* walkFolder(fs, root, slash < 0 ? '' : prefix.slice(0, slash + 1), options)
}

async function* walkFolder(fs: FileSystem, root: string, folder: string, options: WalkOptions): AsyncGenerator<string> {
  const { prefix, startAt = '', hidden } = options
  const children = await readFolder(fs, `${root}/${folder}`)
  // A folder's keys all begin with its name and a slash: that is what it sorts by.
  const keys = children.map(({ name, isDirectory }) => `${folder}${name}${isDirectory ? '/' : ''}`)
  for (const key of keys.toSorted(compareBytes)) {
    if (hidden?.(key)) continue
    if (key.endsWith('/')) {
      const mayHold = prefix.startsWith(key) || key.startsWith(prefix)
      const before = compareBytes(key, startAt) < 0 && !startAt.startsWith(key)
      if (mayHold && !before) yield* walkFolder(fs, root, key, options)
    } else if (key.startsWith(prefix) && compareBytes(key, startAt) >= 0) {
      yield key
    }
  }
}

async function readFolder(fs: FileSystem, path: string): Promise<{ name: string; isDirectory: boolean }[]> {
  try {
    return await fs.readDirectory(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
