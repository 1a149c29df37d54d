/** The calls a directory lake makes of a file system, few enough that a test can record, fail or lose each of them. */
import { link, mkdir, open, readdir, readFile, rename, rmdir, stat, unlink } from 'node:fs/promises'

/** Paths are absolute. Errors are Node's own, told apart by `code`. */
export interface FileSystem {
  /** A new file; EEXIST where there is one. */
  createFile(path: string): Promise<OpenFile>
  readFile(path: string): Promise<Uint8Array>
  stat(path: string): Promise<{ bytes: number; isFile: boolean; modifiedMs: number }>
  readDirectory(path: string): Promise<{ name: string; isDirectory: boolean }[]>
  /** One directory; its parent exists. */
  makeDirectory(path: string): Promise<void>
  removeDirectory(path: string): Promise<void>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>
}

export interface OpenFile {
  write(chunk: Uint8Array): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export const nodeFileSystem: FileSystem = {
  createFile: (path) => createFile(path),
  readFile: (path) => readFile(path),
  async stat(path) {
    const found = await stat(path)
    return { bytes: found.size, isFile: found.isFile(), modifiedMs: found.mtimeMs }
  },
  async readDirectory(path) {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
  },
  makeDirectory: (path) => mkdir(path),
  removeDirectory: (path) => rmdir(path),
  link: (from, to) => link(from, to),
  rename: (from, to) => rename(from, to),
  unlink: (path) => unlink(path),
  async syncDirectory(path) {
    // Windows has no such call, and keeps names durable by itself.
    if (process.platform === 'win32') return
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

/** What it makes is for this user alone. */
export const privateFileSystem: FileSystem = {
  ...nodeFileSystem,
  createFile: (path) => createFile(path, 0o600),
  makeDirectory: (path) => mkdir(path, { mode: 0o700 }),
}

async function createFile(path: string, mode?: number): Promise<OpenFile> {
  const handle = await open(path, 'wx', mode)
  return {
    // Writes on from the current position until all is written; handle.write may write less.
    write: (chunk) => handle.writeFile(chunk),
    sync: () => handle.sync(),
    close: () => handle.close(),
  }
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
