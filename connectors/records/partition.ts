/**
 * Rows to folders.
 *
 *   lakeward   Hive's style with Iceberg's names: `Country=DE`, `SystemModstamp_day=2026-11-23`, `run_day=2026-11-23`,
 *              `run_id=…`, `schema_version=2`; null is Hive's default partition
 *   appflow    as Amazon AppFlow lays folders: parts of a time are `2026/11/23`, the run is its bare id, the schema is
 *              `schemaVersion_2`, a field is `Country=DE`, and `Country=null` where it has no value
 *
 * Days and hours are those of UTC. Columns that rows are partitioned by stay in the files.
 */
import type { Field, FieldType } from '../connector.ts'
import type { Partition } from '../flow-destination.ts'
import { meant } from '../nearest.ts'
import type { Batch, Column } from './batch.ts'
import { cellAt, present, textReader } from './cells.ts'
import { dateText } from './instants.ts'
import { divideFloor } from './numbers.ts'
import { NULL_SEGMENT, pathSegment } from './path-segment.ts'

export interface PartitionContext {
  layout: 'lakeward' | 'appflow'
  /** ISO instant that `day(run)` means. */
  runInstant: string
  runId: string
  /** Number of the lane's schema. */
  schemaVersion: number
}

export interface Share {
  /** Segments joined by `/`; '' where nothing is partitioned. */
  folder: string
  /** Absent: all rows. */
  rows?: Uint32Array
}

export interface Partitioner {
  /** Every row in exactly one share, in the rows' order. Shares of an empty batch: none. */
  split(batch: Batch): Share[]
  /** Folders seen so far. */
  readonly folders: number
}

const MINUTE = 60_000_000n
const UNITS = {
  year: { iso: 4, parts: 1, needs: 'date' },
  month: { iso: 7, parts: 2, needs: 'date' },
  day: { iso: 10, parts: 3, needs: 'date' },
  hour: { iso: 13, parts: 4, needs: 'timestamp' },
  minute: { iso: 16, parts: 5, needs: 'timestamp' },
} as const
type Segment = string | ((columns: Column[], row: number) => string)

/** What keeps the output from being partitioned so; null: nothing. */
export function partitionProblem(partition: Partition, fields: Field[]): string | null {
  if (partition.by === 'runId' || partition.by === 'schemaVersion') return null
  const name = partition.by === 'field' ? partition.field : partition.of
  if (name === null) return null
  const field = fields.find((one) => one.name === name)
  if (!field) {
    const names = fields.map((one) => one.name)
    return `the output has no field '${name}'${meant(name, names)}`
  }
  const { type } = field
  if (partition.by === 'field') {
    if (type !== 'float64' && type !== 'json' && type !== 'binary') return null
    return `'${name}' is ${type}, and folders take text, whole numbers, decimals, dates and times`
  }
  if (type === 'timestamp' || (type === 'date' && UNITS[partition.by].needs === 'date')) return null
  return `'${name}' is ${type}, and has no ${partition.by}`
}

export function partitioner(partitionBy: Partition[], fields: Field[], context: PartitionContext): Partitioner {
  const segments = partitionBy.map((partition) => {
    const problem = partitionProblem(partition, fields)
    if (problem) throw new TypeError(problem)
    return segmentOf(partition, fields, context)
  })
  const seen = new Set<string>()
  const fixed = segments.every((segment) => typeof segment === 'string') ? segments.join('/') : null
  return {
    split(batch) {
      if (batch.rows === 0) return []
      if (fixed !== null) {
        seen.add(fixed)
        return [{ folder: fixed }]
      }
      const shares = new Map<string, number[]>()
      for (let row = 0; row < batch.rows; row++) {
        const folder = segments
          .map((segment) => (typeof segment === 'string' ? segment : segment(batch.columns, row)))
          .join('/')
        const rows = shares.get(folder)
        if (rows) rows.push(row)
        else shares.set(folder, [row])
      }
      for (const folder of shares.keys()) seen.add(folder)
      if (shares.size === 1) return [{ folder: [...shares.keys()][0]! }]
      return [...shares].map(([folder, rows]) => ({ folder, rows: Uint32Array.from(rows) }))
    },
    get folders() {
      return seen.size
    },
  }
}

function segmentOf(partition: Partition, fields: Field[], context: PartitionContext): Segment {
  const { layout, runInstant, runId, schemaVersion } = context
  const hive = layout === 'lakeward'
  if (partition.by === 'runId') return hive ? pathSegment(runId, 'run_id=') : pathSegment(runId)
  if (partition.by === 'schemaVersion') return `${hive ? 'schema_version=' : 'schemaVersion_'}${schemaVersion}`
  if (partition.by === 'field') return fieldSegment(partition.field, fields, hive)
  const { iso, parts } = UNITS[partition.by]
  const write = (micros: bigint, prefix: string): string => {
    const minutes = divideFloor(micros, MINUTE)
    const days = divideFloor(minutes, 1440n)
    const minute = Number(minutes - days * 1440n)
    const text = `${dateText(Number(days))}-${two(Math.floor(minute / 60))}-${two(minute % 60)}`.slice(0, iso)
    return hive ? prefix + text : text.split('-', parts).join('/')
  }
  if (partition.of === null) return write(BigInt(Date.parse(runInstant)) * 1000n, `run_${partition.by}=`)
  const index = fields.findIndex(({ name }) => name === partition.of)
  const { type } = fields[index]!
  const prefix = pathSegment(partition.of, '') + `_${partition.by}=`
  const none = hive ? prefix + NULL_SEGMENT : NULL_SEGMENT
  const known = new Map<bigint, string>()
  return (columns, row) => {
    const column = columns[index]!
    if (!present(column, row)) return none
    const micros = microsAt(column, type, row)
    const minute = divideFloor(micros, MINUTE)
    let text = known.get(minute)
    if (text === undefined) {
      text = write(micros, prefix)
      if (known.size > 10_000) known.clear()
      known.set(minute, text)
    }
    return text
  }
}

function fieldSegment(name: string, fields: Field[], hive: boolean): Segment {
  const index = fields.findIndex((field) => field.name === name)
  const text = textReader(fields[index]!.type)
  const prefix = `${pathSegment(name)}=`
  const none = prefix + (hive ? NULL_SEGMENT : 'null')
  const known = new Map<string, string>()
  return (columns, row) => {
    const value = text(columns[index]!, row)
    if (value === null) return none
    let segment = known.get(value)
    if (segment === undefined) {
      segment = pathSegment(value, prefix)
      if (known.size > 10_000) known.clear()
      known.set(value, segment)
    }
    return segment
  }
}

function microsAt(column: Column, type: FieldType, row: number): bigint {
  const cell = cellAt(column, type, row)
  return type === 'date' ? BigInt(cell as number) * 1440n * MINUTE : (cell as bigint)
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
