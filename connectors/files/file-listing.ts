/** What lies below a place: the files of a pattern, and patterns that would take what is there. */
import type { ObjectInfo } from '../connector.ts'
import { filePattern } from './file-pattern.ts'
import type { FileTree, FoundFile } from './file-tree.ts'

/** In byte order of their keys. */
export async function listFiles(
  tree: FileTree,
  pattern: string,
  most = Number.POSITIVE_INFINITY,
): Promise<FoundFile[]> {
  const { prefix, takes } = filePattern(pattern)
  const found: FoundFile[] = []
  for await (const file of tree.list(prefix)) {
    if (takes(file.key)) found.push(file)
    if (found.length >= most) break
  }
  return found
}

/** Looked through for a list that people read. */
const MOST_LISTED = 100_000

/** A pattern for each folder and kind of file: `orders/*.csv`. */
export async function* patternsOf(tree: FileTree): AsyncGenerator<ObjectInfo> {
  const groups = new Map<string, { files: number; bytes: number }>()
  let listed = 0
  for await (const { key, bytes } of tree.list('')) {
    const pattern = patternFor(key)
    if (!filePattern(pattern).takes(key)) continue
    const group = groups.get(pattern) ?? { files: 0, bytes: 0 }
    groups.set(pattern, { files: group.files + 1, bytes: group.bytes + bytes })
    if (++listed === MOST_LISTED) break
  }
  for (const [name, { files, bytes }] of groups) {
    const size = bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${Math.ceil(bytes / 1024 / 1024)} MB`
    yield { name, label: `${files.toLocaleString('en')} ${files === 1 ? 'file' : 'files'}, ${size}` }
  }
}

function patternFor(key: string): string {
  const slash = key.lastIndexOf('/') + 1
  const [kind = ''] = /\.\w+(?:\.(?:gz|zst|zstd))?$/.exec(key.slice(slash)) ?? []
  return `${key.slice(0, slash)}*${kind}`
}
