/**
 * A directory as a lake.
 *
 * Laws
 * - `create` writes and syncs a file of its own, then links it to the name: the link is what is exclusive, and nobody
 *   ever reads half a document. (An exclusive open is exclusive too, but its content is not there at once.)
 * - A staged file lies below its area at the path it will have; completing is a rename. That the source is gone and the
 *   target has the right size means that somebody had done it.
 * - Files are synced before they are named, directories after: what an answer says, a power cut does not take back.
 * - Temporary files (`_lakeward/_tmp`) and staged ones (`_lakeward/<flow>/<object>/staged`) are no objects.
 */
import { randomBytes } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import type { Check } from '../../check.ts'
import { LakeError } from '../errors.ts'
import type { ObjectStore, StageRequest, StagedFile, StagedWriter, StoredObject } from '../store.ts'
import { DurableTree } from './durable-tree.ts'
import type { FileSystem } from './file-system.ts'
import { hasCode, nodeFileSystem } from './file-system.ts'
import { proveDirectory } from './prove-directory.ts'
import { walk } from './walk.ts'

const TEMPORARY = '_lakeward/_tmp'
const DAY_MS = 86_400_000
const STAGED_FOLDER = /^_lakeward\/[^/]+\/[^/]+\/staged(\/|$)/

export function fileStore(directory: string, options: { fs?: FileSystem } = {}): ObjectStore {
  return new FileStore(resolve(directory), options.fs ?? nodeFileSystem)
}

class FileStore implements ObjectStore {
  readonly name: string
  readonly settleMs = 0
  readonly #fs: FileSystem
  readonly #tree: DurableTree
  #swept: Promise<void> | undefined

  constructor(root: string, fs: FileSystem) {
    this.name = root
    this.#fs = fs
    this.#tree = new DurableTree(root, fs)
  }

  async *list(prefix: string, options: { startAt?: string } = {}): AsyncGenerator<StoredObject> {
    for await (const key of walk(this.#fs, this.name, { prefix, ...options, hidden: isHidden })) {
      const found = await this.head(key)
      if (found) yield found
    }
  }

  async get(key: string): Promise<Uint8Array | null> {
    if (isHidden(key)) return null
    try {
      return await this.#fs.readFile(this.#path(key))
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return null
      throw error
    }
  }

  async head(key: string): Promise<StoredObject | null> {
    const bytes = isHidden(key) ? null : await this.#size(this.#path(key))
    return bytes === null ? null : { key, bytes }
  }

  async create(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    const target = this.#path(key)
    const temporary = await this.#writeTemporary(body)
    try {
      await this.#tree.inDirectory(target, () => this.#fs.link(temporary, target))
      return 'created'
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return 'exists'
      if (hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK'))
        throw noHardLinks(target, error)
      throw error
    } finally {
      // Also after `exists`: who made it may have died before it was durable, and the caller goes on from it.
      await this.#tree.sync(dirname(target))
      await this.#unlink(temporary)
    }
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    const target = this.#path(key)
    const temporary = await this.#writeTemporary(body)
    await this.#tree.inDirectory(target, () => this.#fs.rename(temporary, target))
    await this.#tree.sync(dirname(target))
  }

  async delete(key: string): Promise<void> {
    await this.#remove(this.#path(key))
  }

  async stage(file: StageRequest): Promise<StagedWriter> {
    const upload = `${file.area}/${file.key}`
    const path = this.#path(upload)
    const handle = await this.#tree.inDirectory(path, () => this.#fs.createFile(path))
    let bytes = 0
    return {
      write: async (chunk) => {
        await handle.write(chunk)
        bytes += chunk.byteLength
      },
      close: async () => {
        await handle.sync()
        await handle.close()
        await this.#tree.sync(dirname(path))
        return { key: file.key, upload, unit: file.unit, bytes }
      },
      abort: async () => {
        await handle.close()
        await this.#remove(path)
      },
    }
  }

  async complete(file: StagedFile): Promise<'done' | 'absent' | 'lost'> {
    const source = this.#path(file.upload)
    const target = this.#path(file.key)
    const staged = await this.#size(source)
    if (staged !== null && staged !== file.bytes) return 'lost'
    try {
      // The rename says ENOENT for either side: it is tried only while the source is there, and then the target's
      // folder is what is missing. Who finds the source gone finds the target, or nothing.
      if (staged !== null) {
        await this.#tree.inDirectory(target, async () => {
          if ((await this.#size(source)) !== null) await this.#fs.rename(source, target)
        })
      }
    } catch (error) {
      if (hasCode(error, 'EXDEV')) throw otherDevice(target, error)
      throw error
    }
    const bytes = await this.#size(target)
    if (bytes !== null && bytes !== file.bytes) throw otherFile(file, target, bytes)
    // The new name first: were the old one's end durable alone, a power cut would leave neither.
    await this.#tree.sync(dirname(target))
    await this.#tree.sync(dirname(source))
    await this.#tree.prune(dirname(source))
    if (bytes !== null) return 'done'
    await this.#tree.prune(dirname(target))
    return 'absent'
  }

  async abort(file: Pick<StagedFile, 'key' | 'upload'>): Promise<void> {
    await this.#remove(this.#path(file.upload))
  }

  async *staged(areas: string, prefix: string): AsyncGenerator<{ key: string; upload: string }> {
    for await (const upload of walk(this.#fs, this.name, { prefix: `${areas}/` })) {
      const key = upload.slice(upload.indexOf('/', areas.length + 1) + 1)
      if (key.startsWith(prefix)) yield { key, upload }
    }
  }

  async settle(keys: string[]): Promise<void> {
    const directories = new Set(keys.map((key) => dirname(this.#path(key))))
    for (const directory of directories) await this.#tree.sync(directory)
  }

  prove(folder: string): AsyncIterable<Check> {
    return proveDirectory(this.name, folder)
  }

  #path(key: string): string {
    const segments = key.split('/')
    if (segments.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
      throw new RangeError(`'${key}' is no key`)
    }
    return `${this.name}/${key}`
  }

  async #size(path: string): Promise<number | null> {
    try {
      const { isFile, bytes } = await this.#fs.stat(path)
      return isFile ? bytes : null
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null
      throw error
    }
  }

  async #remove(path: string): Promise<void> {
    await this.#unlink(path)
    await this.#tree.prune(dirname(path))
  }

  async #unlink(path: string): Promise<void> {
    try {
      await this.#fs.unlink(path)
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
    }
  }

  async #writeTemporary(body: Uint8Array): Promise<string> {
    await (this.#swept ??= this.#sweepTemporary())
    const path = `${this.name}/${TEMPORARY}/${process.pid}-${randomBytes(8).toString('hex')}`
    const handle = await this.#tree.inDirectory(path, () => this.#fs.createFile(path))
    try {
      await handle.write(body)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return path
  }

  /** Killed processes leave temporary files; nobody needs one for a day. */
  async #sweepTemporary(): Promise<void> {
    for await (const key of walk(this.#fs, this.name, { prefix: `${TEMPORARY}/` })) {
      const path = `${this.name}/${key}`
      try {
        const { modifiedMs } = await this.#fs.stat(path)
        if (Date.now() - modifiedMs > DAY_MS) await this.#unlink(path)
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error
      }
    }
  }
}

function isHidden(key: string): boolean {
  return key.startsWith(`${TEMPORARY}/`) || STAGED_FOLDER.test(key)
}

function noHardLinks(target: string, cause: unknown): LakeError {
  return new LakeError('LakeUnusable', {
    what: 'this file system does not make hard links, by which the ledger is written',
    where: target,
    advice: 'Put the lake on a local file system or use S3; `lakeward doctor CONNECTION` tells what a place can do.',
    cause,
  })
}

function otherFile(file: StagedFile, target: string, bytes: number): LakeError {
  return new LakeError('LedgerDamaged', {
    what: `the file has ${bytes} bytes, and the ledger says ${file.bytes}`,
    where: target,
    advice: 'Something else wrote it. Restore it, or see `lakeward repair NAME OBJECT`.',
  })
}

function otherDevice(target: string, cause: unknown): LakeError {
  return new LakeError('LakeUnusable', {
    what: 'the folder is on another device than the lake, and a file cannot be moved there in one step',
    where: target,
    advice: 'Keep the whole lake on one file system; `lakeward doctor CONNECTION` finds such folders.',
    cause,
  })
}
