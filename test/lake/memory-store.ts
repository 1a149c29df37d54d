/**
 * A store in memory that stages as S3 does: uploads apart from the objects, found by id, completed without conditions
 * any number of times while the object is there.
 */
import { randomUUID } from 'node:crypto'
import type { ObjectStore, StagedFile, StageRequest, StagedWriter, StoredObject } from '../../connectors/lake/store.ts'

interface Upload {
  key: string
  unit: string
  chunks: Uint8Array[]
}

/** The place; any number of stores may be made over one. */
export class MemoryPlace {
  readonly objects = new Map<string, { body: Uint8Array; unit?: string }>()
  readonly uploads = new Map<string, Upload>()
}

export function memoryStore(place = new MemoryPlace(), settleMs = 0): ObjectStore {
  return new MemoryStore(place, settleMs)
}

class MemoryStore implements ObjectStore {
  readonly name = 'memory:'
  readonly settleMs: number
  readonly #place: MemoryPlace

  constructor(place: MemoryPlace, settleMs: number) {
    this.#place = place
    this.settleMs = settleMs
  }

  async *list(prefix: string, { startAt = '' }: { startAt?: string } = {}): AsyncGenerator<StoredObject> {
    const keys = [...this.#place.objects.keys()].filter((key) => key.startsWith(prefix) && bytes(key, startAt) >= 0)
    for (const key of keys.toSorted(bytes)) {
      const found = await this.head(key)
      if (found) yield { key, bytes: found.bytes }
    }
  }

  async get(key: string): Promise<Uint8Array | null> {
    await turn()
    return this.#place.objects.get(key)?.body ?? null
  }

  async head(key: string): Promise<StoredObject | null> {
    await turn()
    const found = this.#place.objects.get(key)
    return found ? { key, bytes: found.body.byteLength, ...(found.unit ? { unit: found.unit } : {}) } : null
  }

  async create(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    await turn()
    if (this.#place.objects.has(key)) return 'exists'
    this.#place.objects.set(key, { body })
    return 'created'
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await turn()
    this.#place.objects.set(key, { body })
  }

  async delete(key: string): Promise<void> {
    await turn()
    this.#place.objects.delete(key)
  }

  async stage({ key, unit }: StageRequest): Promise<StagedWriter> {
    await turn()
    const upload = randomUUID()
    const { uploads } = this.#place
    const chunks: Uint8Array[] = []
    uploads.set(upload, { key, unit, chunks })
    return {
      write: async (chunk) => {
        await turn()
        chunks.push(chunk.slice())
      },
      close: async () => {
        await turn()
        return { key, upload, unit, bytes: chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0) }
      },
      abort: async () => {
        await turn()
        uploads.delete(upload)
      },
    }
  }

  async complete(file: StagedFile): Promise<'done' | 'absent' | 'lost'> {
    await turn()
    const { uploads, objects } = this.#place
    const upload = uploads.get(file.upload)
    if (upload) {
      const body = Buffer.concat(upload.chunks)
      if (body.byteLength !== file.bytes) return 'lost'
      objects.set(file.key, { body, unit: upload.unit })
      uploads.delete(file.upload)
      return 'done'
    }
    return objects.get(file.key)?.unit === file.unit ? 'done' : 'absent'
  }

  async abort(file: Pick<StagedFile, 'key' | 'upload'>): Promise<void> {
    await turn()
    this.#place.uploads.delete(file.upload)
  }

  async *staged(_area: string, prefix: string): AsyncGenerator<{ key: string; upload: string }> {
    await turn()
    for (const [upload, { key }] of [...this.#place.uploads]) if (key.startsWith(prefix)) yield { key, upload }
  }

  async settle(): Promise<void> {
    await turn()
  }
}

/** Everybody else may go on in between, as with a real store. */
const turn = (): Promise<void> => Promise.resolve()
const bytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
