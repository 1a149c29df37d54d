/**
 * The bench's data on disk, made once: below the cache of components, never in the repository.
 *
 * A folder has `bulk.csv` (lines of a Bulk result behind a header), `rest.json` (records of REST pages, each behind a
 * comma but the first: a page is a slice), `index.bin` (per row the bytes of its line, those of its record with the
 * comma, and its stamp, as uint32) and `data.json`, which is written last.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  truncateSync,
} from 'node:fs'
import { writeFileSync, writeSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../../worker/find-binary.ts'
import { columnNames, describedFields } from './columns.ts'
import { MOST_ROWS, Records, stampSecond } from './records.ts'

/** A change of what is generated is a new number. */
const VERSION = 3
const CHUNK = 2_000

export interface Data {
  folder: string
  rows: number
  csvPath: string
  jsonPath: string
  /** Byte offsets of rows: row n of the CSV file lies from `csv[n]` to `csv[n + 1]`. */
  csv: Float64Array
  json: Float64Array
}

export const csvHeader = `${columnNames.map((name) => `"${name}"`).join(',')}\n`

/** `rows`: at most `MOST_ROWS`. */
export async function makeData(rows: number, log: (line: string) => void): Promise<Data> {
  if (rows > MOST_ROWS) throw new Error(`at most ${MOST_ROWS} rows are generated; more are these repeated`)
  const folder = join(cacheFolder(), 'bench', `records-${VERSION}-${rows}`)
  if (!existsSync(join(folder, 'data.json'))) {
    const began = performance.now()
    await mkdir(join(folder, '..'), { recursive: true })
    const fresh = await mkdtemp(`${folder}-`)
    write(fresh, rows)
    await rm(folder, { recursive: true, force: true })
    await rename(fresh, folder)
    log(
      `generated ${rows.toLocaleString('en')} records in ${((performance.now() - began) / 1000).toFixed(1)} s: ${folder}`,
    )
  }
  const index = new Uint32Array(readFileSync(join(folder, 'index.bin')).buffer)
  const csv = new Float64Array(rows + 1)
  const json = new Float64Array(rows + 1)
  csv[0] = Buffer.byteLength(csvHeader)
  for (let row = 0; row < rows; row++) {
    csv[row + 1] = csv[row]! + index[row * 3]!
    json[row + 1] = json[row]! + index[row * 3 + 1]!
  }
  return { folder, rows, csvPath: join(folder, 'bulk.csv'), jsonPath: join(folder, 'rest.json'), csv, json }
}

function write(folder: string, rows: number): void {
  const [csv, json] = ['bulk.csv', 'rest.json'].map((name) => openSync(join(folder, name), 'w')) as [number, number]
  const index = new Uint32Array(rows * 3)
  const records = new Records()
  writeSync(csv, csvHeader)
  for (let from = 0; from < rows; from += CHUNK) {
    let lines = ''
    let objects = ''
    for (let row = from; row < Math.min(rows, from + CHUNK); row++) {
      const made = records.next()
      const object = row === 0 ? made.json : `,${made.json}`
      index.set([Buffer.byteLength(made.csv), Buffer.byteLength(object), stampSecond(row)], row * 3)
      lines += made.csv
      objects += object
    }
    writeSync(csv, lines)
    writeSync(json, objects)
  }
  for (const file of [csv, json]) closeSync(file)
  writeFileSync(join(folder, 'index.bin'), new Uint8Array(index.buffer))
  writeFileSync(join(folder, 'fields.json'), JSON.stringify(describedFields()))
  writeFileSync(join(folder, 'data.json'), JSON.stringify({ version: VERSION, rows }))
}

/** The first rows of the CSV as a file of its own, for readers of local files. */
export function localCsv(data: Data, rows: number): string {
  if (rows === data.rows) return data.csvPath
  return once(join(data.folder, `bulk-${rows}.csv`), (path) => {
    copyFileSync(data.csvPath, path)
    truncateSync(path, data.csv[rows])
  })
}

/** The first records, one per line. */
export function localLines(data: Data, rows: number): string {
  return once(join(data.folder, `rest-${rows}.ndjson`), (path) => {
    const lines = Buffer.allocUnsafe(data.json[rows]!)
    const file = openSync(data.jsonPath, 'r')
    for (let at = 0; at < lines.length;) at += readSync(file, lines, at, Math.min(lines.length - at, 1 << 26), at)
    closeSync(file)
    for (let row = 1; row < rows; row++) lines[data.json[row]!] = 0x0a
    writeFileSync(path, lines)
  })
}

function once(path: string, make: (path: string) => void): string {
  if (existsSync(path)) return path
  make(`${path}.new`)
  renameSync(`${path}.new`, path)
  return path
}
