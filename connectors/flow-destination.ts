/** Where a flow writes and how. */
import { badFolder, duration, size } from './flow-values.ts'
import { meant } from './nearest.ts'
import { choice, integer, list, noRepeats, parsed, type Read, shown, strict, text, words } from './strict.ts'
import { z } from 'zod'
import type { JsonObject } from './connector.ts'

export interface DestinationSpec {
  connection: string
  /** Folder below the connection's path; '' is the path itself. */
  prefix: string
  write: 'append' | 'replace' | 'upsert' | 'update' | 'delete'
  format: 'parquet' | 'jsonl' | 'csv'
  layout: 'lakeward' | 'appflow'
  partitionBy: Partition[]
  fileSizeBytes: number
  /** A long load is committed in parts, whenever so much is read; null: at its end. */
  commitEvery: CommitEvery | null
  onReject: 'quarantine' | 'fail'
  /** As written, for the connector. */
  options: JsonObject
}

/** Whichever comes first. */
export interface CommitEvery {
  rows?: number
  bytes?: number
  ms?: number
}

/** A level of folders: an output field's value, a part of its time or of the run's, or the run itself. */
export type Partition =
  | { by: 'field'; field: string }
  /** `of` is an output field, or null for the run's time. */
  | { by: 'year' | 'month' | 'day' | 'hour' | 'minute'; of: string | null }
  | { by: 'runId' }
  /** Number of the lane's schema, as its entries count. */
  | { by: 'schemaVersion' }

const units = ['year', 'month', 'day', 'hour', 'minute'] as const
const DEFAULT_FILE_BYTES = 256 * 1024 * 1024

/** `Region`, `day(CreatedDate)`, `day(run)`, `runId` or `schemaVersion`. */
export function readPartition(written: string): Read<Partition> {
  if (written === 'runId' || written === 'schemaVersion') return { value: { by: written } }
  const call = /^([^()]*)\((.*)\)$/.exec(written)
  if (!call) {
    if (written.trim() === '' || /[()]/.test(written)) {
      return {
        refused: words(`${shown(written)} is no partition`, 'a field, day(Field), day(run), runId or schemaVersion'),
      }
    }
    return { value: { by: 'field', field: written } }
  }
  const [, name = '', of = ''] = call
  const unit = units.find((one) => one === name)
  if (!unit) return { refused: words(`${shown(name)} is no part of a time${meant(name, units)}`, units.join(', ')) }
  if (of.trim() === '') return { refused: words(`${shown(written)} names no field`, `${unit}(Field) or ${unit}(run)`) }
  return { value: { by: unit, of: of === 'run' ? null : of } }
}

const partition = parsed(
  'A field, year|month|day|hour|minute of a field or of run, runId or schemaVersion',
  readPartition,
)

const prefix = parsed('Folder below the connection, for example salesforce/raw', (written): Read<string> => {
  const wrong = written === '' ? undefined : badFolder(written)
  return wrong === undefined ? { value: written } : { refused: words(wrong, 'for example salesforce/raw') }
})

const commitEvery = strict('commitEvery', {
  rows: integer('So many records', 1).optional(),
  size: size('So much in files').optional(),
  time: duration('So much time', 1).optional(),
})
  .refine((written) => Object.values(written).some((one) => one !== undefined), {
    error: words('says nothing', '{ rows: 1000000 }, { size: 1GB } or { time: 30m }'),
  })
  .meta({ description: 'Commits a long load in parts, each visible at once; default: at its end', minProperties: 1 })

export const destination = strict(
  'destination',
  {
    connection: text('The name of a connection in lakeward.yaml'),
    prefix: prefix.optional(),
    write: choice(
      'append adds, replace makes a new generation; for tables and records: upsert; for records: update, delete',
      ['append', 'replace', 'upsert', 'update', 'delete'],
    ).optional(),
    onReject: choice('What becomes of records that the destination refuses; default quarantine', [
      'quarantine',
      'fail',
    ]).optional(),
    options: z.record(z.string(), z.json()).describe("The connector's own options").optional(),
    format: choice('Format of the files; default parquet', ['parquet', 'jsonl', 'csv']).optional(),
    layout: choice('lakeward: key=value folders; appflow: as Amazon AppFlow lays them', [
      'lakeward',
      'appflow',
    ]).optional(),
    partitionBy: list('Levels of folders, outermost first', partition, 0).superRefine(noRepeats).optional(),
    fileSize: size('Target size of a file').optional(),
    commitEvery: commitEvery.optional(),
  },
  ['csv', 'single', 'columns', 'catalog'],
).describe('Where the records go')

export function completeDestination(written: z.output<typeof destination>): DestinationSpec {
  return {
    connection: written.connection,
    prefix: written.prefix ?? '',
    write: written.write ?? 'append',
    format: written.format ?? 'parquet',
    layout: written.layout ?? 'lakeward',
    partitionBy: written.partitionBy ?? [],
    fileSizeBytes: written.fileSize ?? DEFAULT_FILE_BYTES,
    commitEvery: completeEvery(written.commitEvery),
    onReject: written.onReject ?? 'quarantine',
    options: written.options ?? {},
  }
}

function completeEvery(written: z.output<typeof commitEvery> | undefined): CommitEvery | null {
  if (!written) return null
  const { rows, size: bytes, time: ms } = written
  return { ...(rows !== undefined && { rows }), ...(bytes !== undefined && { bytes }), ...(ms !== undefined && { ms }) }
}
