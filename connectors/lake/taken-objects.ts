/**
 * Which objects the patterns of a flow took last time, so that a run can say which of them are there no more.
 *
 * Law: a hint, for people. It may be wrong or absent, and nothing but a sentence rests on it: the lanes and their
 * ledgers know nothing of patterns.
 */
import { z } from 'zod'
import type { ObjectInfo } from '../connector.ts'
import { some } from '../flow-patterns.ts'
import { encodeDocument } from './documents.ts'
import { segment } from './keys.ts'
import type { ObjectStore } from './store.ts'

const shape = z.looseObject({ version: z.literal(1), objects: z.array(z.string()) })

/** Sentences about objects that were taken last time and are not listed now; remembers those that are taken. */
export async function goneSince(
  store: ObjectStore,
  { flow, namespaceId }: { flow: string; namespaceId: string },
  taken: string[],
  listed: ObjectInfo[],
): Promise<string[]> {
  const key = `_lakeward/_objects/${segment(flow)}/${segment(namespaceId)}.json`
  const before = readHint(await store.get(key))
  const there = new Set(listed.map(({ name }) => name))
  const gone = before.filter((name) => !there.has(name))
  if (before.join('\n') !== taken.join('\n')) await store.put(key, encodeDocument({ version: 1, objects: taken }))
  return gone.length === 0 ? [] : [`No longer there, and so not in this run: ${some(gone)}. What was delivered stays.`]
}

function readHint(bytes: Uint8Array | null): string[] {
  if (bytes === null) return []
  try {
    return shape.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).objects
  } catch {
    return []
  }
}
