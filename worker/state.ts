/**
 * Local state: small encrypted documents in a directory, for the workers and commands of one machine.
 *
 * Laws
 * - Nothing secret is ever on disk in the clear: AES-256-GCM, with the document's name and version as associated data,
 *   so that a file that was renamed, mixed up or brought back does not open.
 * - A version is created once, by `link`; of two writers that read the same version one wins and the other is told. The
 *   highest version is the document. Two versions are kept, so a late writer always finds that it is late.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../connectors/connector.ts'

export interface StateDocument {
  /** 0: there is none. */
  version: number
  value: JsonObject | null
}

export interface StateStore {
  read(name: string): Promise<StateDocument>
  /** Writes version `after` + 1; false: somebody else did. */
  write(name: string, value: JsonObject, after: number): Promise<boolean>
}

/** The state that is there cannot be used; it is never overwritten because of that. */
export class StateError extends Error {
  override readonly name = 'StateError'
}

interface Sealed {
  lakeward: 1
  /** First bytes of the key's hash: tells a wrong key from a damaged file. */
  key: string
  iv: string
  tag: string
  data: string
}

export function directoryState(directory: string, key: Uint8Array): StateStore {
  const keyId = createHash('sha256').update('lakeward state key\0').update(key).digest('hex').slice(0, 16)

  async function versions(name: string): Promise<number[]> {
    const pattern = new RegExp(String.raw`^${escape(fileName(name))}\.(\d{8})\.json$`)
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    return names.flatMap((found) => pattern.exec(found)?.slice(1).map(Number) ?? []).sort((a, b) => b - a)
  }

  const pathOf = (name: string, version: number): string =>
    join(directory, `${fileName(name)}.${String(version).padStart(8, '0')}.json`)

  async function read(name: string): Promise<StateDocument> {
    for (;;) {
      const [version] = await versions(name)
      if (version === undefined) return { version: 0, value: null }
      const path = pathOf(name, version)
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null // two versions further on by now
        throw error
      })
      if (text !== null) return { version, value: unseal(text, path, name, version) }
    }
  }

  async function write(name: string, value: JsonObject, after: number): Promise<boolean> {
    const version = after + 1
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const draft = join(directory, `.draft-${randomBytes(8).toString('hex')}`)
    try {
      await writeDurably(draft, JSON.stringify(seal(value, name, version)))
      try {
        await link(draft, pathOf(name, version))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      }
    } finally {
      await rm(draft, { force: true })
    }
    await syncDirectory(directory)
    const [highest = 0, ...older] = await versions(name)
    if (highest === version) {
      for (const old of older.slice(1)) await rm(pathOf(name, old), { force: true })
    } else if (highest > version + 1) {
      // Either two writers built on ours since, or ours took a number that had been cleaned away: read again.
      await rm(pathOf(name, version), { force: true })
      return false
    }
    return true
  }

  function seal(value: JsonObject, name: string, version: number): Sealed {
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(binding(name, version))
    const data = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
    const base64 = (bytes: Buffer): string => bytes.toString('base64')
    return { lakeward: 1, key: keyId, iv: base64(iv), tag: base64(cipher.getAuthTag()), data: base64(data) }
  }

  function unseal(text: string, path: string, name: string, version: number): JsonObject {
    const damaged = (why: string): StateError =>
      new StateError(`${path} ${why}. Move it away and log in again; the state of other connections is not touched.`)
    let sealed: Partial<Sealed>
    try {
      sealed = JSON.parse(text) as Partial<Sealed>
    } catch {
      throw damaged('is damaged')
    }
    const { iv, tag, data } = sealed
    if (sealed.lakeward !== 1) throw damaged(`has a layout of another version of lakeward`)
    if (sealed.key !== keyId) {
      throw new StateError(
        `${path} was written with another key. Set LAKEWARD_STATE_KEY (or restore state.key) to the key it was written with.`,
      )
    }
    if (typeof iv !== 'string' || typeof tag !== 'string' || typeof data !== 'string') throw damaged('is damaged')
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: 16 })
      decipher.setAAD(binding(name, version)).setAuthTag(Buffer.from(tag, 'base64'))
      const clear = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()])
      return JSON.parse(clear.toString('utf8')) as JsonObject
    } catch {
      throw damaged('is damaged, or was moved here from another document')
    }
  }

  return { read, write }
}

function binding(name: string, version: number): Buffer {
  return Buffer.from(`lakeward state 1\0${name}\0${version}`)
}

/** Names of connections may differ in case alone, and file systems may not see that. */
function fileName(name: string): string {
  return encodeURIComponent(name).replaceAll(/[A-Z*']/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^$()|[\]{}\\]/g, String.raw`\$&`)
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return // directories cannot be opened there
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
