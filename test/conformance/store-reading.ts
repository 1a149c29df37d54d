/** What the cases of a store look at: bytes, keys, staged files. */
import type { ObjectStore, StagedFile, StageRequest } from '../../connectors/lake/store.ts'
import { must } from './expect.ts'

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export async function textAt(store: ObjectStore, key: string): Promise<string | null> {
  const bytes = await store.get(key)
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

export async function keysBelow(store: ObjectStore, prefix: string, startAt?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix, startAt === undefined ? {} : { startAt })) keys.push(key)
  return keys
}

export async function stagedKeys(store: ObjectStore, areas: string, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.staged(areas, prefix)) keys.push(key)
  return keys.toSorted()
}

export function same(got: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [JSON.stringify(got), JSON.stringify(expected)]
  must(found === wanted, `${what}: ${found}, not ${wanted}`)
}

export const AREAS = '_lakeward/flow/Object/staged'
export const AREA = `${AREAS}/run-1`

/** A staged and closed file. */
export async function stage(
  store: ObjectStore,
  key: string,
  body: string | Uint8Array,
  more: Partial<StageRequest> = {},
): Promise<StagedFile> {
  const writer = await store.stage({ key, area: AREA, unit: '000001-abc', ...more })
  await writer.write(typeof body === 'string' ? bytesOf(body) : body)
  return writer.close()
}
