/**
 * A table unloaded to Parquet on S3: one statement, whose files are the ranges.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
 *
 * Laws
 * - A run unloads into a folder of its own and never over what is there: a second statement of the same run fails, and
 *   the token finds the first.
 * - The manifest says which files count, and how many rows each has; it is written last.
 * - An unload that failed for a passing reason is not repeated in its folder: the lane begins again, with another one.
 */
import { z } from 'zod'
import { createHash } from 'node:crypto'
import type { Job, Json, Plan, Range, Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import type { ObjectStore } from '../lake/store.ts'
import { dataApi, type Described } from './data-api.ts'
import { statementError } from './errors.ts'
import type { Warehouse } from './settings.ts'
import { type ReadRequest, requestOf, selectOf } from './source-plan.ts'
import { literal } from './sql.ts'

const POLL_MS = 2_000
/** A statement that is cancelled writes no more after that. */
const CANCELLED_MS = 30_000
/** Two row groups of Redshift's: a file is read whole into memory. */
const FILE_MB = 64

/** What is kept of an unload. */
interface Ref {
  id: string
  /** Below the staging lake, with a slash behind it. */
  folder: string
  object: string
  parallel: number
}

/** Files of a range. */
export interface FileSpan {
  files: [key: string, bytes: number][]
}

export const unloadJob: Job<Plan, Range[]> = {
  async find(session, plan, token) {
    const id = await dataApi(session).find(titleOf(token))
    return id === null ? null : refOf(session, requestOf(plan), token, id)
  },

  async submit(session, plan, token) {
    const request = requestOf(plan)
    const { copyRole } = session.settings as unknown as Warehouse
    const { store, folder } = await placeOf(session, token)
    const sql = unloadStatement(request, `${store.name}/${folder}`, copyRole)
    const once = createHash('sha256').update(token).digest('hex')
    return refOf(session, request, token, await dataApi(session).submit([sql], once, titleOf(token)))
  },

  async poll(session, kept) {
    const ref = kept as unknown as Ref
    const found = await described(session, ref)
    if (found.Status === 'SUBMITTED' || found.Status === 'PICKED' || found.Status === 'STARTED') {
      return { waitMs: POLL_MS }
    }
    if (found.Status !== 'FINISHED') throw failureOf(ref, found)
    return { ready: await rangesOf(session, ref) }
  },

  async cancel(session, kept) {
    const { id, folder } = kept as unknown as Ref
    const api = dataApi(session)
    await api.cancel(id)
    await api.finished(id, 'cancel an unload', CANCELLED_MS).catch(() => {})
    const { store } = await stagingOf(session)
    for await (const { key } of store.list(folder)) await store.delete(key)
  },
}

/** The Data API forgets statements after a day. */
async function described(session: Session, { id, object }: Ref): Promise<Described> {
  try {
    return await dataApi(session).describe(id)
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === 'missing') throw again(object, error.reason, error)
    throw error
  }
}

export function unloadStatement(request: ReadRequest, to: string, role: string | undefined): string {
  return (
    `UNLOAD (${literal(selectOf(request, 'files'))}) TO ${literal(to)} ` +
    `IAM_ROLE ${role === undefined ? 'DEFAULT' : literal(role)} ` +
    `FORMAT AS PARQUET MANIFEST VERBOSE MAXFILESIZE ${FILE_MB} MB`
  )
}

/** The lake of `staging`; the plan was made with one. */
export async function stagingOf(session: Session): Promise<{ store: ObjectStore; folder: string }> {
  const { store, folder } = await session.staging!()
  return { store: store as ObjectStore, folder }
}

async function placeOf(session: Session, token: string): Promise<{ store: ObjectStore; folder: string }> {
  const { store, folder } = await stagingOf(session)
  return { store, folder: `${folder}/${token}/` }
}

async function refOf(session: Session, { object, parallel }: ReadRequest, token: string, id: string): Promise<Json> {
  return { id, folder: (await placeOf(session, token)).folder, object, parallel }
}

const titleOf = (token: string): string => `lakeward unload ${token}`.slice(0, 500)

function failureOf({ object }: Ref, { Error: said, Status, SubStatements }: Described): ConnectorError {
  const doing = `unload ${object}`
  const failed = SubStatements?.find((one) => one.Status === 'FAILED')?.Error ?? said ?? `it is ${Status}`
  const error = statementError(failed, doing)
  if (/does not exist/i.test(failed)) return statementError(failed, doing, 'missing')
  return error.kind === 'transient' ? again(object, error.reason, error) : error
}

function again(object: string, reason: string, cause?: unknown): ConnectorError {
  return new ConnectorError({ connector: 'redshift', doing: `unload ${object}`, kind: 'cursor-expired', reason, cause })
}

/** https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html (the manifest, VERBOSE) */
interface Manifest {
  entries: { url: string; meta: { content_length: number; record_count: number } }[]
  meta: { record_count: number }
}

const records = z.int().nonnegative()
const manifest = z.looseObject({
  entries: z.array(
    z.looseObject({ url: z.string(), meta: z.looseObject({ content_length: records, record_count: records }) }),
  ),
  meta: z.looseObject({ record_count: records }),
})

function manifestOf(bytes: Uint8Array, object: string): Manifest {
  try {
    return manifest.parse(JSON.parse(Buffer.from(bytes).toString()))
  } catch (cause) {
    const reason = 'its manifest is not what an UNLOAD writes'
    throw new ConnectorError({ connector: 'redshift', doing: `unload ${object}`, kind: 'answer', reason, cause })
  }
}

async function rangesOf(session: Session, { folder, object, parallel }: Ref): Promise<Range[]> {
  const { store } = await stagingOf(session)
  const bytes = await store.get(`${folder}manifest`)
  if (!bytes) throw again(object, `${store.name}/${folder}manifest is gone`)
  const { entries, meta } = manifestOf(bytes, object)
  const files = entries.map(({ url, meta: of }): FileSpan['files'][number] => [
    url.slice(store.name.length + 1),
    of.content_length,
  ])
  const rows = entries.reduce((sum, one) => sum + one.meta.record_count, 0)
  const reason = `its manifest has ${rows} rows in its files, and ${meta.record_count} in all`
  if (rows !== meta.record_count) {
    throw new ConnectorError({ connector: 'redshift', doing: `unload ${object}`, kind: 'answer', reason })
  }
  const spans = Array.from({ length: Math.max(1, Math.min(parallel, files.length)) }, (): FileSpan => ({ files: [] }))
  for (const [at, file] of files.entries()) spans[at % spans.length]!.files.push(file)
  return spans.map((span, at) => ({ id: `files-${at}`, spec: span as unknown as Json }))
}
