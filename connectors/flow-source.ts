/** What a flow reads. */
import type { FieldType, Filter, Json, JsonObject } from './connector.ts'
import type { FileKeys } from './files/file-keys.ts'
import { completeFileKeys, fileKeys, schema } from './flow-files.ts'
import { completeStep, onInvalid, type OnInvalid, step, type Step } from './flow-steps.ts'
import { duration, folder, time } from './flow-values.ts'
import { completeFilter, where } from './flow-where.ts'
import { choice, flag, integer, list, noRepeats, strict, text } from './strict.ts'
import { z } from 'zod'

export interface FlowSource {
  connection: string
  /** As written for all objects; an object's `options` have its own over these. */
  options: JsonObject
  objects: FlowObject[]
}

/** One object of a flow, complete: the source's settings and the defaults are in it. */
export interface FlowObject {
  /** A name, or a pattern (`flow-patterns.ts`), which is then `id` and `into` as well. */
  object: string
  /** Names the lane; unique in the flow. */
  id: string
  /** Folder, table or target object. */
  into: string
  where: Filter | null
  transform: Step[]
  onInvalid: OnInvalid
  read: 'incremental' | 'full'
  /** ISO instant with Z. */
  startFrom?: string
  /** A source name. */
  cursorField?: string
  /** Output names that identify a record; absent: the source's. */
  keys?: string[]
  /** Absent: the connector's. */
  settleMs?: number
  /** Milliseconds before the watermark that are read again; absent: none. */
  lookbackMs?: number
  /** Absent: true where the read is incremental and the source shows deletes. */
  includeDeleted?: boolean
  /** Ranges read at once; absent: as many as the connection's limits allow. */
  parallel?: number
  /** The object is a pattern of files, which are read so. */
  files?: FileKeys
  /** Fed by events: the object is a kind of them, or a pattern of kinds; no columns: they are kept whole. */
  events?: { schema: Record<string, FieldType> }
  options: JsonObject
}

const options = z.record(z.string(), z.json()).describe("The connector's own options")

const readKeys = {
  read: choice('incremental reads what changed, full everything', ['incremental', 'full']).optional(),
  startFrom: time('Where the first run begins; default: everything').optional(),
  cursorField: text("The field that tells what changed; default: the connector's").optional(),
  settle: duration('How long rows may still become visible', 0).optional(),
  lookback: duration('A window before the watermark that is read again, for what came late', 1).optional(),
  includeDeleted: flag('Deleted records come as rows with _lakeward_op = delete').optional(),
  keys: list('Output names that identify a record; default: the keys of the source', text('An output name'))
    .superRefine(noRepeats)
    .optional(),
  parallel: integer("Ranges of an object that are read at once; default: the connection's limits.parallel", 1)
    .max(256)
    .optional(),
  ...fileKeys,
  options: options.optional(),
}

const objectName = text(
  'Name at the source or a pattern: Contact*; where the source has files, a pattern: orders/*.csv',
)

const object = strict('an object', {
  object: objectName,
  id: text('Names the object in this flow; default: its name')
    .max(200)
    // oxlint-disable-next-line no-control-regex -- these are what is refused
    .regex(/^[^\u0000-\u001f\u007f]*$/, { error: 'must not have control characters' })
    .optional(),
  into: folder("Folder, table or target object; default: the object's name").optional(),
  where: where.optional(),
  transform: list('Steps, in order', step, 0).optional(),
  onInvalid: onInvalid.optional(),
  schema: schema.optional(),
  ...readKeys,
})

export const source = strict('source', {
  connection: text('The name of a connection in lakeward.yaml'),
  objects: list(
    'Names of objects, or mappings that begin with `object:`',
    z.union([objectName, object]).describe('The name of an object, or a mapping with `object:`'),
  ),
  ...readKeys,
}).describe('Where the records come from')

/** `events`: the flow is fed by them. */
export function completeSource(written: z.output<typeof source>, ruled: OnInvalid, events: boolean): FlowSource {
  return {
    connection: written.connection,
    options: plain(written.options),
    objects: written.objects.map((one) =>
      completeObject(typeof one === 'string' ? { object: one } : one, written, ruled, events),
    ),
  }
}

function completeObject(
  written: z.output<typeof object>,
  shared: z.output<typeof source>,
  ruledByFlow: OnInvalid,
  events: boolean,
): FlowObject {
  const ruled = written.onInvalid ?? ruledByFlow
  const files = completeFileKeys(written, { format: shared.format, csv: shared.csv })
  const startFrom = written.startFrom ?? shared.startFrom
  const cursorField = written.cursorField ?? shared.cursorField
  const keys = written.keys ?? shared.keys
  const settleMs = written.settle ?? shared.settle
  const lookbackMs = written.lookback ?? shared.lookback
  const includeDeleted = written.includeDeleted ?? shared.includeDeleted
  const parallel = written.parallel ?? shared.parallel
  return {
    object: written.object,
    id: written.id ?? written.object,
    into: written.into ?? written.object,
    where: completeFilter(written.where),
    transform: (written.transform ?? []).map((one) => completeStep(one, ruled)),
    onInvalid: ruled,
    read: written.read ?? shared.read ?? 'incremental',
    ...(startFrom !== undefined && { startFrom }),
    ...(cursorField !== undefined && { cursorField }),
    ...(keys !== undefined && { keys }),
    ...(settleMs !== undefined && { settleMs }),
    ...(lookbackMs !== undefined && { lookbackMs }),
    ...(includeDeleted !== undefined && { includeDeleted }),
    ...(parallel !== undefined && { parallel }),
    ...(files !== undefined && { files }),
    ...(events && { events: { schema: written.schema ?? {} } }),
    options: { ...plain(shared.options), ...plain(written.options) },
  }
}

const plain = (written: { [key: string]: unknown } | undefined): JsonObject =>
  (written ?? {}) as { [key: string]: Json }
