/**
 * Parquet in pages of rows, one row group at a time.
 *
 * Memory law: the wanted columns of one row group are held decoded, and nothing else of the file.
 */
import zlib from 'node:zlib'
import type * as Library from 'hyparquet'
import type { Field, Json, Row } from '../connector.ts'
import type { FileBytes, FoundFile } from './file-tree.ts'
import { unreadable } from './file-tree.ts'
import { bare, parquetColumn } from './parquet-types.ts'
import type { ParquetColumn } from './parquet-types.ts'
import { absentNote } from './text-pages.ts'
import type { FilePage, FileReading } from './text-pages.ts'

const PAGE_ROWS = 8192
/** Of the wanted columns of a row group, unpacked. */
const MOST_GROUP = 1024 * 1024 * 1024

export async function* parquetPages({ tree, file, keys, from, note }: FileReading): AsyncGenerator<FilePage> {
  const opened = await openParquet(tree, file)
  const { columns, absent } = wantedColumns(opened, Object.keys(keys.schema), tree, file)
  if (absent.length > 0) note(absentNote(file, absent))
  const total = opened.rows
  const { row } = (from ?? { row: 0 }) as { row: number }
  let first = 0
  for (const group of opened.groups) {
    const end = first + group.rows
    if (row < end) yield* groupPages(first, Math.max(row, first), end)
    first = end
  }
  if (row >= total) yield page([], total)

  async function* groupPages(begins: number, at: number, end: number): AsyncGenerator<FilePage> {
    const values = await opened.read([...columns.keys()], begins, end)
    for (let start = at; start < end; start += PAGE_ROWS) {
      const stop = Math.min(start + PAGE_ROWS, end)
      const rows = Array.from({ length: stop - start }, (_, i): Row => {
        const record: Row = {}
        for (const [name, column] of columns) {
          const raw = values.get(name)![start + i - begins]
          record[name] = raw === null || raw === undefined ? null : column.value(raw as never)
        }
        return record
      })
      yield page(rows, stop)
    }
  }

  function page(body: Row[], behind: number): FilePage {
    const next: Json | null = behind >= total ? null : { row: behind }
    const position = `row ${behind.toLocaleString('en')} of ${total.toLocaleString('en')}`
    return { body, shape: { format: 'rows' }, next, position }
  }
}

/** Fields of a file, for a sample; columns that cannot be read are left out. */
export async function parquetFields(tree: FileBytes, file: FoundFile): Promise<Pick<Field, 'name' | 'type'>[]> {
  const { columns } = await openParquet(tree, file)
  return [...columns].flatMap(([name, column]) => (typeof column === 'string' ? [] : [{ name, type: column.type }]))
}

function wantedColumns({ columns: all, groups }: Opened, names: string[], tree: FileBytes, file: FoundFile) {
  const columns = new Map<string, ParquetColumn>()
  for (const name of names) {
    const column = all.get(name)
    if (typeof column === 'string') {
      throw unreadable(tree, file.key, `its column ${name} ${column}`, 'Leave it out of `schema`.')
    }
    if (column) columns.set(name, column)
  }
  if (columns.size === 0)
    throw unreadable(tree, file.key, 'it has none of the columns of `schema`', 'Compare their names.')
  const largest = Math.max(
    0,
    ...groups.map(({ sizeOf: size }) => [...columns.keys()].reduce((sum, name) => sum + size(name), 0)),
  )
  if (largest > MOST_GROUP) {
    const reason = `a row group of it has ${Math.ceil(largest / 1024 / 1024)} MB in the wanted columns, and 1,024 are the most`
    throw unreadable(tree, file.key, reason, 'Write it with smaller row groups, or ask for fewer columns.')
  }
  return { columns, absent: names.filter((name) => !all.has(name)) }
}

interface Opened {
  rows: number
  /** By name; a text says why a column cannot be read. */
  columns: Map<string, ParquetColumn | string>
  groups: { rows: number; sizeOf: (column: string) => number }[]
  /** What is stored in rows [start, end), a whole row group, by column. */
  read(columns: string[], start: number, end: number): Promise<Map<string, unknown[]>>
}

async function openParquet(tree: FileBytes, file: FoundFile): Promise<Opened> {
  const library = await import('hyparquet')
  // What the place of the files throws is told as it is; everything else is the file's fault.
  let failed: unknown
  const buffer: Library.AsyncBuffer = {
    byteLength: file.bytes,
    slice: (start, end = file.bytes) =>
      bytesOf(tree, file, start < 0 ? file.bytes + start : start, end).catch((error: unknown) => {
        failed ??= error
        throw error
      }),
  }
  const parsers = { timestampFromNanoseconds: (nanos: bigint) => nanos }
  return guarded(async () => {
    const metadata = await library.parquetMetadataAsync(buffer, { geoparquet: false })
    const stored = { ...metadata, schema: metadata.schema.map(bare) }
    const tops = library.parquetSchema(metadata).children
    return {
      rows: Number(metadata.num_rows),
      columns: new Map(tops.map(({ element }) => [element.name, misread(element, metadata) ?? parquetColumn(element)])),
      groups: metadata.row_groups.map((group) => ({
        rows: Number(group.num_rows),
        sizeOf: (name) => sizeOf(group, name),
      })),
      read: (columns, rowStart, rowEnd) =>
        guarded(async () => {
          const values = new Map(
            columns.map((name): [string, unknown[]] => [name, Array.from({ length: rowEnd - rowStart })]),
          )
          const onChunk = ({ columnName, columnData, rowStart: begins }: Library.ColumnData): void => {
            const column = values.get(columnName)!
            for (let i = 0; i < columnData.length; i++) column[begins - rowStart + i] = columnData[i]
          }
          const how = { columns, rowStart, rowEnd, parsers, utf8: false, geoparquet: false, compressors: compressors() }
          await library.parquetRead({ file: buffer, metadata: stored, onChunk, ...how })
          return values
        }),
    }
  })

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (failed !== undefined) throw failed
      const { message } = error as Error
      const advice = /zstd/i.test(message)
        ? 'Run the workers on Node.js 22.15 or newer, which read zstd, or write it with snappy or gzip.'
        : 'It is cut off, damaged or no Parquet: put a whole one in its place, or remove it.'
      throw unreadable(tree, file.key, `it is no Parquet file that can be read: ${message}`, advice)
    }
  }
}

/** What the library would read wrongly, found by comparing it with another reader: it is refused. */
function misread(
  { name, type, converted_type: converted, logical_type: logical }: Library.SchemaElement,
  { row_groups: groups }: Library.FileMetaData,
): string | undefined {
  // The first value of a block is taken for one of 31 bits.
  const unsigned = converted === 'UINT_32' || (logical?.type === 'INTEGER' && !logical.isSigned)
  if (type !== 'INT32' || !unsigned) return undefined
  const chunks = groups.flatMap(({ columns }) =>
    columns.filter(({ meta_data: about }) => about?.path_in_schema[0] === name),
  )
  const delta = chunks.some(({ meta_data: about }) => about?.encodings.includes('DELTA_BINARY_PACKED'))
  return delta ? 'has unsigned integers of 32 bits as DELTA_BINARY_PACKED, which is not read' : undefined
}

function sizeOf({ columns }: Library.RowGroup, name: string): number {
  const own = columns.find(({ meta_data: about }) => about?.path_in_schema[0] === name)
  return Number(own?.meta_data?.total_uncompressed_size ?? 0)
}

async function bytesOf(tree: FileBytes, file: FoundFile, start: number, end: number): Promise<ArrayBuffer> {
  const all = new Uint8Array(end - start)
  let at = 0
  for await (const piece of tree.read(file, start, end)) {
    all.set(piece, at)
    at += piece.length
  }
  return all.buffer
}

/** Snappy is in the library; LZ4 and LZO are not read. */
function compressors(): Library.Compressors {
  const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array }
  return {
    GZIP: (bytes) => zlib.gunzipSync(bytes),
    BROTLI: (bytes) => zlib.brotliDecompressSync(bytes),
    ...(zstdDecompressSync && { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) }),
  }
}
