/**
 * State: small sealed documents in a store that workers and commands share: a directory for one machine, S3 for many.
 *
 * Laws
 * - Nothing secret is ever stored in the clear: every document is sealed (`state-seal.ts`), bound to its name and
 *   version, so that one that was renamed, mixed up or brought back does not open.
 * - A version is an object of its own and is created once; of two writers that read the same version one wins and the
 *   other is told. The highest version is the document. Two are kept, so a late writer always finds that it is late.
 * - Neither "created", nor "exists", nor an error of a create is believed: what is there is read back. Two sealings of
 *   one value differ, so equal bytes are ours.
 */
import type { JsonObject } from '../connectors/connector.ts'
import type { ObjectStore } from '../connectors/lake/store.ts'

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

/** What a sealed document is bound to; `where` is for messages. */
export interface About {
  name: string
  version: number
  where: string
}

export interface Sealer {
  seal(clear: Uint8Array, about: About): Promise<Sealed>
  /** @throws StateError where it was sealed otherwise, or is damaged */
  open(sealed: Partial<Sealed>, about: About): Promise<Uint8Array>
}

/** A document as it is stored; bytes are base64. */
export interface Sealed {
  lakeward: 1
  /** Which key: tells a wrong one from a damaged file. */
  key: string
  /** The data key, itself sealed by a key service. */
  dataKey?: string
  iv: string
  tag: string
  data: string
}

/** `prefix`: of the keys in the store, with its slash. */
export function openState(store: ObjectStore, sealer: Sealer, prefix = ''): StateStore {
  const base = (name: string): string => `${prefix}${fileName(name)}.`
  const keyOf = (name: string, version: number): string => `${base(name)}${String(version).padStart(8, '0')}.json`

  /** The highest first. */
  async function versions(name: string): Promise<number[]> {
    const start = base(name)
    const found: number[] = []
    for await (const { key } of store.list(start)) {
      const [, digits] = /^(\d{8})\.json$/.exec(key.slice(start.length)) ?? []
      if (digits) found.push(Number(digits))
    }
    return found.sort((a, b) => b - a)
  }

  async function read(name: string): Promise<StateDocument> {
    for (;;) {
      const [version] = await versions(name)
      if (version === undefined) return { version: 0, value: null }
      const key = keyOf(name, version)
      const bytes = await store.get(key)
      if (bytes === null) continue // two versions further on by now
      const about = { name, version, where: `${store.name}/${key}` }
      const clear = await sealer.open(parsed(bytes, about), about)
      try {
        return { version, value: JSON.parse(Buffer.from(clear).toString('utf8')) as JsonObject }
      } finally {
        clear.fill(0)
      }
    }
  }

  async function write(name: string, value: JsonObject, after: number): Promise<boolean> {
    const version = after + 1
    const key = keyOf(name, version)
    const clear = Buffer.from(JSON.stringify(value))
    const sealed = await sealer.seal(clear, { name, version, where: `${store.name}/${key}` })
    clear.fill(0)
    const body = Buffer.from(JSON.stringify(sealed))
    let failure: unknown
    await store.create(key, body).catch((error: unknown) => (failure = error))
    const stored = await store.get(key)
    if (stored === null && failure !== undefined) throw failure
    if (stored !== null && !body.equals(stored)) return false
    const [highest = 0, ...older] = await versions(name)
    if (highest === version) {
      for (const old of older.slice(1)) await store.delete(keyOf(name, old))
    } else if (highest > version + 1) {
      // Either two writers built on ours since, or ours took a number that had been cleaned away: read again.
      await store.delete(key)
      return false
    }
    return true
  }

  return { read, write }
}

/** A document that does not open; what can be done is the same whatever is wrong with it. */
export function damaged({ where }: About, why: string): StateError {
  return new StateError(
    `${where} ${why}. Move it away and log in again; the state of other connections is not touched.`,
  )
}

function parsed(bytes: Uint8Array, about: About): Partial<Sealed> {
  let sealed: unknown
  try {
    sealed = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    throw damaged(about, 'is damaged')
  }
  if (sealed === null || typeof sealed !== 'object') throw damaged(about, 'is damaged')
  if ((sealed as Partial<Sealed>).lakeward !== 1) throw damaged(about, 'has a layout of another version of lakeward')
  return sealed
}

/** Names of connections may differ in case alone, and file systems may not see that. */
function fileName(name: string): string {
  return encodeURIComponent(name).replaceAll(/[A-Z*']/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
}
