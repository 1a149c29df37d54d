/**
 * The lake's identity: created by whoever comes first, and by it a connection that was pointed elsewhere is noticed.
 */
import { randomUUID } from 'node:crypto'
import { createOnce, identityShape, readDocument } from './documents.ts'
import { IDENTITY_KEY } from './keys.ts'
import type { ObjectStore } from './store.ts'

export async function lakeIdentity(store: ObjectStore): Promise<string> {
  const known = await readDocument(store, IDENTITY_KEY, identityShape)
  if (known) return known.id
  const { id } = await createOnce(store, IDENTITY_KEY, { version: 1, id: randomUUID() }, identityShape)
  return id
}
