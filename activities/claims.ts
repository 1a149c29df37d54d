/** Where bodies lie that a vendor does not take: in the lake that its connection names as `staging`. */
import { joinKey, segment } from '../connectors/lake/keys.ts'
import type { RecordBatch } from '../connectors/record-sink.ts'
import type { Deps } from './deps.ts'
import type { LaneRef } from './digests.ts'

/** undefined: the connection has no staging. */
export async function claimsOf(
  deps: Deps,
  connection: string,
  { flow, object }: LaneRef,
): Promise<RecordBatch['claim']> {
  const staging = (await deps.installation()).connections[connection]?.staging
  if (!staging) return undefined
  const folder = joinKey(staging.prefix || '_lakeward/_claims', segment(flow), segment(object))
  const store = await deps.lake(staging.connection, [`${folder}/`])
  return async (id, body) => {
    const key = `${folder}/${id}.json`
    // The same id is the same record: whoever wrote it first wrote this.
    await store.create(key, body)
    return { url: `${store.name}/${key}` }
  }
}
