/**
 * What to write into a flow for files that nothing describes: format, delimiter and a schema, guessed from the
 * beginnings of the newest files. A proposal: a person reads it, and what stands in the flow holds.
 */
import type { FieldType, JsonObject } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { textReader } from '../records/cells.ts'
import { decodePage } from '../records/decode.ts'
import { csvHeader } from '../records/csv-records.ts'
import type { FileKeys } from './file-keys.ts'
import { plainCsv } from './file-keys.ts'
import { listFiles } from './file-listing.ts'
import type { FileTree, FoundFile } from './file-tree.ts'
import { unreadable } from './file-tree.ts'
import { guessType, widerGuess } from './guess-type.ts'
import { parquetFields } from './parquet-pages.ts'
import { textPages } from './text-pages.ts'
import type { FilePage } from './text-pages.ts'
import { textOf } from './text-stream.ts'

const MOST_SAMPLED = 3
const MOST_LISTED = 10_000
const DELIMITERS = [',', ';', '\t', '|']

export async function sampleFiles(tree: FileTree, pattern: string): Promise<JsonObject> {
  const listed = await listFiles(tree, pattern, MOST_LISTED)
  const newest = listed.filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.modifiedMs - a.modifiedMs)
  const [first] = newest
  if (!first) {
    throw new ConnectorError({
      connector: tree.connector,
      doing: `look for ${pattern}`,
      kind: 'missing',
      reason: `no file of ${tree.name} matches, or all are empty`,
      advice: '`*` is any name, `**` also folders: `lakeward objects CONNECTION` shows patterns that match.',
    })
  }
  const format = formatOf(first.key)
  const samples = newest.filter(({ key }) => formatOf(key) === format).slice(0, MOST_SAMPLED)
  const csv = format === 'csv' ? { ...plainCsv, delimiter: await delimiterOf(tree, first) } : plainCsv
  const schema: Record<string, FieldType> = {}
  for (const file of samples) {
    for (const [name, type] of await typesOf(tree, file, format, csv)) {
      const known = schema[name]
      schema[name] = known === undefined ? type : format === 'parquet' ? known : widerGuess(known, type)
    }
  }
  const plain = csv.delimiter === plainCsv.delimiter
  return { format, ...(format === 'csv' && !plain ? { csv: { delimiter: csv.delimiter } } : {}), schema }
}

function formatOf(key: string): FileKeys['format'] {
  const [, kind = ''] = /\.(\w+)(?:\.(?:gz|zst|zstd))?$/.exec(key.toLowerCase()) ?? []
  if (kind === 'parquet') return 'parquet'
  return kind === 'jsonl' || kind === 'ndjson' || kind === 'json' ? 'jsonl' : 'csv'
}

async function typesOf(tree: FileTree, file: FoundFile, format: FileKeys['format'], csv: FileKeys['csv']) {
  if (format === 'parquet') return (await parquetFields(tree, file)).map(({ name, type }) => [name, type] as const)
  const columns = format === 'csv' ? await headerOf(tree, file, csv) : undefined
  const page = await firstPage(tree, file, {
    format,
    csv,
    schema: Object.fromEntries((columns ?? []).map((name) => [name, 'string'])),
  })
  const names = columns ?? namesIn(page)
  const fields = names.map((name) => ({
    name,
    type: columns ? ('string' as const) : ('json' as const),
    nullable: true,
  }))
  const found = new Map(names.map((name): [string, FieldType | null] => [name, null]))
  for (const { batch } of decodePage(page, fields)) {
    for (const [at, { name, type }] of fields.entries()) {
      const text = textReader(type)
      for (let row = 0; row < batch.rows; row++) {
        const value = text(batch.columns[at]!, row)
        if (value === null) continue
        const guess = guessType(value, columns === undefined)
        const known = found.get(name) ?? null
        found.set(name, known === null ? guess : widerGuess(known, guess))
      }
    }
  }
  return [...found].map(([name, type]) => [name, type ?? 'string'] as const)
}

async function firstPage(tree: FileTree, file: FoundFile, keys: FileKeys): Promise<FilePage> {
  for await (const page of textPages({ tree, file, keys, from: null, note: () => {} })) return page
  throw unreadable(tree, file.key, 'it is empty', 'Name another one.')
}

async function headerOf(tree: FileTree, file: FoundFile, csv: FileKeys['csv']): Promise<string[]> {
  const line = await firstLine(tree, file)
  const shape = { format: 'csv', delimiter: csv.delimiter, header: true, nullText: null } as const
  return csvHeader(line, shape) ?? []
}

async function delimiterOf(tree: FileTree, file: FoundFile): Promise<string> {
  const line = (await firstLine(tree, file)).toString().replaceAll(/"[^"]*"/g, '')
  const counts = DELIMITERS.map((delimiter) => line.split(delimiter).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!
}

/** Without a byte order mark; a header whose names have line ends is cut, and the guess with it. */
async function firstLine(tree: FileTree, file: FoundFile): Promise<Buffer> {
  let all = Buffer.alloc(0)
  for await (const piece of textOf(tree, file, plainCsv.encoding, 0)) {
    all = Buffer.concat([all, piece])
    const end = all.indexOf(0x0a)
    if (end >= 0 || all.length > 1024 * 1024) {
      all = all.subarray(0, end + 1 || all.length)
      break
    }
  }
  return all[0] === 0xef && all[1] === 0xbb && all[2] === 0xbf ? all.subarray(3) : all
}

/** Members of the objects of a page of JSON lines, in the order they turn up. */
function namesIn({ body }: FilePage): string[] {
  const names = new Set<string>()
  for (const line of Buffer.from(body as Uint8Array)
    .toString()
    .split('\n')) {
    try {
      const record: unknown = JSON.parse(line)
      if (typeof record === 'object' && record !== null) for (const name of Object.keys(record)) names.add(name)
    } catch {
      // A line that is no JSON will be set apart; it tells nothing here.
    }
  }
  return [...names]
}
