/** A directory as a place of files to read. */
import { open, stat } from 'node:fs/promises'
import { ConnectorError } from '../errors.ts'
import type { FileTree, FoundFile } from '../files/file-tree.ts'
import { changed } from '../files/file-tree.ts'
import { hasCode, nodeFileSystem } from '../lake/file/file-system.ts'
import { walk } from '../lake/file/walk.ts'

const PIECE = 256 * 1024

export function directoryFiles(root: string): FileTree {
  const tree: FileTree = {
    connector: 'file',
    name: root,
    async *list(prefix) {
      await mustExist(root)
      for await (const key of walk(nodeFileSystem, root, { prefix, hidden })) {
        const found = await lookAt(root, key)
        if (found) yield found
      }
    },
    async *read(file, start, end = file.bytes) {
      const handle = await open(`${root}/${file.key}`, 'r').catch((error: unknown) => {
        throw hasCode(error, 'ENOENT', 'ENOTDIR') ? changed(tree, file, 'is gone') : refused(root, file.key, error)
      })
      try {
        for (let at = start; at < end;) {
          const piece = Buffer.allocUnsafe(Math.min(PIECE, end - at))
          const { bytesRead } = await handle.read(piece, 0, piece.length, at)
          // Looked at behind the bytes: what was changed before they were read shows now.
          const now = versionOf(await handle.stat({ bigint: true }))
          if (bytesRead === 0 || now !== file.version) throw changed(tree, file, 'has changed')
          yield piece.subarray(0, bytesRead)
          at += bytesRead
        }
      } finally {
        await handle.close()
      }
    },
  }
  return tree
}

/** A lake's own folder, where the directory is one as well. */
const hidden = (key: string): boolean => key === '_lakeward/'

async function lookAt(root: string, key: string): Promise<FoundFile | null> {
  try {
    const found = await stat(`${root}/${key}`, { bigint: true })
    if (!found.isFile()) return null
    return { key, bytes: Number(found.size), version: versionOf(found), modifiedMs: Number(found.mtimeMs) }
  } catch (error) {
    // Gone since the folder was read, or a link to nothing.
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null
    throw refused(root, key, error)
  }
}

const versionOf = ({ size, mtimeNs }: { size: bigint; mtimeNs: bigint }): string => `${size}-${mtimeNs}`

async function mustExist(root: string): Promise<void> {
  const found = await stat(root).catch((error: unknown) => error as Error)
  if (!(found instanceof Error) && found.isDirectory()) return
  throw new ConnectorError({
    connector: 'file',
    doing: `list ${root}`,
    kind: 'transient',
    reason: 'there is no such directory',
    advice: 'Is it mounted on the machine of this worker? Correct `path` of the connection else.',
  })
}

function refused(root: string, key: string, cause: unknown): Error {
  const { message } = cause as Error
  const kind = hasCode(cause, 'EACCES', 'EPERM') ? 'forbidden' : 'transient'
  const advice = 'The user that the workers run as must be able to read it.'
  return new ConnectorError({ connector: 'file', doing: `read ${root}/${key}`, kind, reason: message, advice, cause })
}
