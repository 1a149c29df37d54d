/**
 * Reading and writing the stored documents.
 *
 * Laws
 * - A document that is not JSON, not of version 1 or not of its shape is `LedgerDamaged`: never repaired, never
 *   skipped.
 * - A document is written by a create and then read back; what is stored is what counts, whoever stored it.
 */
import { z } from 'zod'
import type { Json, Range } from '../connector.ts'
import { canonical } from './canonical.ts'
import { LakeError } from './errors.ts'
import { MOST_ENTRIES } from './keys.ts'
import type {
  DeliveryWay,
  Entry,
  Hint,
  LakeIdentity,
  Outcome,
  Receipt,
  RunPlan,
  SeenObject,
  SentChunk,
  UnitRecord,
} from './protocol.ts'
import type { ObjectStore } from './store.ts'

const count = z.int().nonnegative()
const number = z.int().positive()
const entryNumber = number.max(MOST_ENTRIES)
const version = z.literal(1)
// Members of newer versions are kept; only what the protocol decides by is checked.
const json = z.unknown().refine((value) => value !== undefined, 'is missing')
const field = z.looseObject({ name: z.string(), type: z.string(), nullable: z.boolean() })
const fields = z.array(field)
const span = z.looseObject({ from: z.string(), to: z.string() })
const text = z.string().min(1)
const instant = z.string().nullable()

const schema = z.looseObject({ version: number, since: entryNumber })
/** Absent in documents from before schemas were counted. */
const counted = { schema: schema.optional(), drift: z.array(z.string()).optional() }
const counts = z.looseObject({
  read: count,
  written: count,
  filtered: count,
  dropped: count,
  quarantined: count,
  repeated: count.optional(),
  bytes: count,
  pages: count,
})
const file = z.looseObject({
  key: text,
  upload: text,
  unit: text,
  bytes: count,
  rows: count,
  parts: z.array(z.looseObject({ number, etag: z.string(), crc32: z.string().optional() })).optional(),
  dropped: z.string().optional(),
  quarantine: z.literal(true).optional(),
  refused: count.optional(),
})
const kind = z.looseObject({
  kind: z.enum(['incremental', 'full', 'generation', 'window', 'set', 'replay']),
  keepOld: z.boolean().optional(),
  window: span.optional(),
})
const chainEnd = z.looseObject({ seq: count, unit: text.nullable(), cursor: json, end: z.boolean() })
const behind = { ranges: z.record(z.string(), chainEnd), counts: counts.optional() }
const seenRef = z.looseObject({ key: text, from: z.string(), rows: count })
const seenPart = z.looseObject({ from: z.string(), rows: z.string() })
const state = z.looseObject({
  n: count,
  watermark: instant,
  origin: instant,
  state: json,
  generation: count,
  since: entryNumber,
  begun: count,
  sourceSchema: fields.nullable(),
  outputSchema: fields.nullable(),
  sourceIdentity: z.string().nullable(),
  lakeId: z.string().nullable(),
  recipeHash: z.string().nullable(),
  schema: schema.nullable().optional(),
  windows: z.array(span),
  seen: seenRef.optional(),
})
const widths = z.record(z.string(), count)
const delivery = z.looseObject({
  kind: z.enum(['table', 'records']),
  connection: text,
  identity: z.string(),
  target: text,
  write: z.enum(['append', 'replace', 'upsert', 'update', 'delete']),
  keys: z.array(z.string()),
  order: z.array(z.string()),
  records: z
    .looseObject({
      target: z.looseObject({ object: z.string(), fields }),
      options: z.record(z.string(), z.unknown()),
      onReject: z.enum(['quarantine', 'fail']),
      most: z.union([z.looseObject({ rows: count }), z.looseObject({ percent: z.number() })]).optional(),
    })
    .optional(),
})
const ranges = z.array(z.looseObject({ id: z.string().regex(/^[a-z0-9-]{1,40}$/), spec: json }))
const runPlan = z.looseObject({
  version,
  run: text,
  startedMs: z.number(),
  namespaceId: text,
  namespace: z.string(),
  workflowId: z.string(),
  prefix: z.string(),
  files: text,
  n: entryNumber,
  before: state,
  source: z.looseObject({ connection: z.string(), connector: z.string(), identity: z.string(), object: z.string() }),
  lakeId: text,
  plan: z.looseObject({
    ranges,
    job: z.literal(true).optional(),
    bound: instant,
    from: instant,
  }),
  kind,
  sourceSchema: fields,
  outputSchema: fields,
  recipe: json,
  recipeHash: z.string(),
  ...counted,
  generation: count,
  since: entryNumber,
  lookback: z.looseObject({ ms: count, keys: z.array(text), cursorField: text }).optional(),
  replays: z.array(text).optional(),
  delivery: delivery.optional(),
  resumes: z.looseObject({ run: text, n: entryNumber, seen: seenRef.optional(), ...behind }).optional(),
})
const fence = z.looseObject({ version, kind: z.literal('fence'), n: entryNumber, run: text, why: z.string() })
const commit = z.looseObject({
  version,
  kind: z.literal('commit'),
  n: entryNumber,
  run: text,
  workflowId: z.string(),
  namespaceId: text,
  units: z.record(z.string(), text),
  step: number,
  last: z.boolean(),
  runKind: kind,
  generation: count,
  files: z.array(file),
  counts,
  delivery: delivery.extend({ widths: widths.optional() }).optional(),
  before: z.looseObject({ n: count.max(MOST_ENTRIES), watermark: instant }),
  after: z.looseObject({
    watermark: instant,
    origin: instant,
    state: json,
    generation: count,
    since: entryNumber,
    seen: seenRef.optional(),
  }),
  replaces: z.looseObject({ from: entryNumber, to: entryNumber }).optional(),
  replays: z.array(text).optional(),
  windows: z.array(span),
  sourceSchema: fields,
  outputSchema: fields,
  recipeHash: z.string(),
  ...counted,
  sourceIdentity: z.string(),
  lakeId: text,
  proof: z.looseObject({ planned: count.nullable(), now: count.nullable(), verdict: z.string() }),
  unfinished: z.looseObject({ plan: runPlan, ...behind }).optional(),
  writtenAt: z.string(),
})
const outcome = z.looseObject({
  version,
  n: entryNumber,
  outcome: z.enum(['done', 'void']),
  manifest: z.array(z.looseObject({ key: text, bytes: count, rows: count })).optional(),
  why: z.string().optional(),
  writtenAt: z.string(),
})
const unit = z.looseObject({
  version,
  id: text,
  run: text,
  range: text,
  seq: number,
  previous: text.nullable(),
  cursor: json,
  end: z.boolean(),
  position: z.string(),
  files: z.array(file),
  counts,
  notes: z.array(z.string()),
  seen: seenPart.optional(),
  widths: widths.optional(),
})
const delivered = z.looseObject({ inserted: count, updated: count, deleted: count, rejected: count })
const receipt = z.looseObject({
  version,
  n: entryNumber,
  run: text,
  result: delivered,
  reasons: z.record(z.string(), count).optional(),
  writtenAt: z.string(),
})

/** A kind of document: its name for people and its shape. */
export interface Shape<T> {
  name: string
  schema: z.ZodType
  /** Never there at run time: carries the document's type. */
  of?: T
}

export const identityShape: Shape<LakeIdentity> = {
  name: "the lake's identity",
  schema: z.looseObject({ version, id: text }),
}
export const hintShape: Shape<Hint> = { name: 'a hint', schema: z.looseObject({ version, n: entryNumber }) }
export const planShape: Shape<RunPlan> = { name: 'a plan', schema: runPlan }
export const unitShape: Shape<UnitRecord> = { name: 'a unit record', schema: unit }
export const entryShape: Shape<Entry> = { name: 'an entry', schema: z.discriminatedUnion('kind', [commit, fence]) }
export const seenShape: Shape<SeenObject> = {
  name: 'what was read lately',
  schema: seenPart.extend({ version }),
}
export const outcomeShape: Shape<Outcome> = { name: 'an outcome', schema: outcome }
/** What a connector keeps: a job's reference. */
export const jsonShape: Shape<{ version: 1; value: Json }> = {
  name: 'what was begun',
  schema: z.looseObject({ version, value: json }),
}
export const rangesShape: Shape<{ version: 1; ranges: Range[] }> = {
  name: 'the ranges of an export',
  schema: z.looseObject({ version, ranges: ranges.min(1) }),
}
export const receiptShape: Shape<Receipt> = { name: 'a receipt', schema: receipt }
export const wayShape: Shape<DeliveryWay> = {
  name: 'the way of a delivery',
  schema: z.looseObject({ version, way: z.enum(['send', 'job']), maxRows: number, maxBytes: number }),
}
export const chunkShape: Shape<SentChunk> = {
  name: 'what became of records',
  schema: z.looseObject({
    version,
    result: delivered,
    next: z.looseObject({ file: count, from: count, row: count }).nullable(),
    rejects: z.array(z.looseObject({ row: count, reason: z.string(), unknown: z.literal(true).optional() })),
  }),
}

const decoder = new TextDecoder('utf-8', { fatal: true })

export function encodeDocument(document: unknown): Uint8Array {
  return new TextEncoder().encode(`${canonical(document)}\n`)
}

export function decodeDocument<T>(bytes: Uint8Array, shape: Shape<T>, where: string): T {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch (cause) {
    throw damaged(where, `${shape.name} is not readable as JSON`, { cause })
  }
  const parsed = shape.schema.safeParse(value, {
    error: ({ input }) => (input === undefined ? 'is missing' : undefined),
  })
  if (parsed.success) return value as T
  const stored = (value as { version?: unknown } | null)?.version
  if (typeof stored === 'number' && stored > 1) {
    throw damaged(where, `${shape.name} has version ${stored}, and this Lakeward reads version 1`, {
      advice: 'It was written by a newer Lakeward: use that one for this lake.',
    })
  }
  const [issue] = parsed.error.issues
  const path = issue?.path.length ? issue.path.map(String).join('.') : 'the document'
  throw damaged(where, `${shape.name} is not of its shape: ${path} ${issue?.message ?? 'is wrong'}`)
}

/** null: there is no such document. */
export async function readDocument<T>(store: ObjectStore, key: string, shape: Shape<T>): Promise<T | null> {
  const bytes = await store.get(key)
  return bytes === null ? null : decodeDocument(bytes, shape, `${store.name}/${key}`)
}

/**
 * Creates a document, or finds the one that is there; answers what is stored. `gone`: what it means that it is not
 * there when it is read back, for documents that others may delete.
 */
export async function createOnce<T>(
  store: ObjectStore,
  key: string,
  document: T,
  shape: Shape<T>,
  gone?: () => Error,
): Promise<T> {
  await store.create(key, encodeDocument(document))
  const stored = await readDocument(store, key, shape)
  if (stored !== null) return stored
  if (gone) throw gone()
  throw new LakeError('LakeUnusable', {
    what: 'a document was written and is not there when it is read back',
    where: `${store.name}/${key}`,
    advice: 'Something else deletes below _lakeward, or the store is not consistent: see `lakeward doctor CONNECTION`.',
  })
}

export function damaged(where: string, what: string, more: { advice?: string; cause?: unknown } = {}): LakeError {
  return new LakeError('LedgerDamaged', {
    what,
    where,
    advice: more.advice ?? 'Nothing was changed. Restore the file, or see `lakeward repair NAME OBJECT`.',
    cause: more.cause,
  })
}
