/**
 * Directories and names that survive a power cut.
 *
 * Laws
 * - A name counts as durable when its directory was synced after it appeared, and so were all directories above, up to
 *   the lake's. A directory that another process made may not have been synced by it: the first use here syncs it.
 * - A directory is durable before anything is named in it: a rename into one that a power cut takes would be half done.
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

  /** Does `work`, which creates a name at `path`, in a directory that is there and durable. */
  async inDirectory<T>(path: string, work: () => Promise<T>): Promise<T> {
    const directory = dirname(path)
    for (let tries = 1; ; tries++) {
      if (!this.#anchored.has(directory)) {
        await this.#make(directory)
        await this.#anchor(directory)
      }
      try {
        return await work()
      } catch (error) {
        if (!hasCode(error, 'ENOENT') || tries === MOST_TRIES) throw error
        // Somebody removed the directory when it was empty, and perhaps some above it.
        for (let at = directory; at.length >= this.root.length; at = dirname(at)) this.#anchored.delete(at)
      }
    }
  }

  async #make(directory: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#fs.makeDirectory(directory)
        // Those in the lake are synced with the first use; those above it never again.
        if (directory.length <= this.root.length) await this.#syncIfThere(dirname(directory))
        return
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return
        if (!hasCode(error, 'ENOENT') || tries === MOST_TRIES || dirname(directory) === directory) throw error
        await this.#make(dirname(directory))
      }
    }
  }

  /** Makes the names in `directory` durable, and its own; where it was removed, that it is gone. */
  async sync(directory: string): Promise<void> {
    for (let at = directory; at.length >= this.root.length; at = dirname(at)) {
      if (await this.#syncIfThere(at)) return this.#anchor(at)
    }
  }

  /** Makes the name of `directory` durable, and those of all above it. */
  async #anchor(directory: string): Promise<void> {
    const anchored: string[] = []
    for (let at = directory; !this.#anchored.has(at) && at.length >= this.root.length; at = dirname(at)) {
      await this.#syncIfThere(dirname(at))
      anchored.push(at)
    }
    for (const at of anchored) this.#anchored.add(at)
  }

  async #syncIfThere(directory: string): Promise<boolean> {
    try {
      await this.#fs.syncDirectory(directory)
      return true
    } catch (error) {
      // Above the lake, reading may be forbidden to us; what is there was there before us.
      const isAbove = directory.length < this.root.length && hasCode(error, 'EACCES', 'EPERM')
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
