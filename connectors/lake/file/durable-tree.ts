/**
 * Directories and names that survive a power cut.
 *
 * Laws
 * - A name counts as durable when its directory was synced after it appeared, and so were all directories above, up to
 *   the lake's. A directory that another process made may not have been synced by it: the first use here syncs it.
 * - An emptied directory is removed, by whoever empties it; who wants to create in it makes it again.
 */
import { dirname } from 'node:path'
import type { FileSystem } from './file-system.ts'
import { hasCode } from './file-system.ts'

const MOST_TRIES = 20

export class DurableTree {
  readonly root: string
  readonly #fs: FileSystem
  /** Directories whose own names this process has synced. */
  readonly #anchored = new Set<string>()

  constructor(root: string, fs: FileSystem) {
    this.root = root
    this.#fs = fs
  }

  /** Does `work`, which creates a name at `path`; makes its directory where that is what was missing. */
  async inDirectory<T>(path: string, work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (!hasCode(error, 'ENOENT') || tries === MOST_TRIES) throw error
        await this.#make(dirname(path))
      }
    }
  }

  async #make(directory: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#fs.makeDirectory(directory)
        await this.#syncIfThere(dirname(directory))
        return
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return
        if (!hasCode(error, 'ENOENT') || tries === MOST_TRIES || dirname(directory) === directory) throw error
        await this.#make(dirname(directory))
      }
    }
  }

  /** Makes the names in `directory` durable, and its own. */
  async sync(directory: string): Promise<void> {
    let isThere = await this.#syncIfThere(directory)
    for (let at = directory; !this.#anchored.has(at) && at.length >= this.root.length; at = dirname(at)) {
      const parentIsThere = await this.#syncIfThere(dirname(at))
      if (isThere) this.#anchored.add(at)
      isThere = parentIsThere
    }
  }

  async #syncIfThere(directory: string): Promise<boolean> {
    try {
      await this.#fs.syncDirectory(directory)
      return true
    } catch (error) {
      // Above the lake, reading may be forbidden to us; what is there was there before us.
      const isAbove = directory.length < this.root.length && hasCode(error, 'EACCES', 'EPERM')
      // Removed meanwhile: then there is no name in it to lose.
      if (!isAbove && !hasCode(error, 'ENOENT')) throw error
      return false
    }
  }

  /** Removes `directory` and those above it, as far as they are empty, and never the lake itself. */
  async prune(directory: string): Promise<void> {
    for (let at = directory; at !== this.root && at.startsWith(this.root); at = dirname(at)) {
      try {
        await this.#fs.removeDirectory(at)
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) return
      }
      this.#anchored.delete(at)
    }
  }
}
