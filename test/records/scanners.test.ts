/**
 * What the scanners read is what other readers read: JSON.parse, csv-parse, and the builders value by value.
 * `LAKEWARD_THOROUGH=1`: a million pages instead of a sample, `LAKEWARD_SEED` the one that failed.
 */
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'csv-parse/sync'
import { expect, it, vi } from 'vitest'
import type { Field, Page, Shape } from '../../connectors/connector.ts'
import { columnBuilder } from '../../connectors/records/column-builders.ts'
import type { ColumnBuilder, Refusal } from '../../connectors/records/column-builder.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import { isJson } from '../../connectors/records/is-json.ts'
import { PageError } from '../../connectors/records/page-error.ts'
import { amid, chances, damaged } from './pages/chance.ts'
import { csvPage, readCsv } from './pages/csv-pages.ts'
import type { CsvPage, Read } from './pages/csv-pages.ts'
import { jsonPage } from './pages/json-pages.ts'
import { RecordBuilder } from '../../connectors/records/record-builder.ts'
import { fieldsOf, textRows } from './tables.ts'

const THOROUGH = process.env['LAKEWARD_THOROUGH'] === '1'
const SEED = process.env['LAKEWARD_SEED']
/** Of each seven pages are read: whole, damaged and cut. */
const SEEDS = THOROUGH ? 150_000 : 800
vi.setConfig({ testTimeout: THOROUGH ? 7_200_000 : 120_000 })

const NAMES = ['Id', 'n', 'CreatedDate', 'Namé', 'a"b', '', 'c d', 'e', 'absent']
const RAW = fieldsOf(Object.fromEntries(NAMES.map((name) => [name, 'json'])))
const TYPED = ['string', 'decimal(18,2)', 'timestamp', 'float64', 'date', 'int32', 'boolean', 'int64', 'binary', 'time']
const JSON_SHAPE: Shape = { format: 'json', path: ['records'] }

type Rows = Record<string, string | null>[]
interface Outcome {
  rows: Rows
  rejects: number
}

/** Memory that goes from page to page, by the fields they are read with. */
const kept = new WeakMap<Field[], RecordBuilder>()

/** null: the page is refused. */
function read(body: Uint8Array, shape: Shape, fields: Field[], op?: Page['op']): Outcome | null {
  const rows: Rows = []
  let rejects = 0
  const records = (op ? undefined : kept.get(fields)) ?? new RecordBuilder(fields, op, true)
  kept.delete(fields)
  try {
    for (const decoded of decodePage({ body: amid(body, '"{[', '0"}],"x"\n'), shape, op }, fields, records)) {
      rows.push(...textRows(decoded.batch))
      rejects += decoded.rejects.length
    }
    if (!op) kept.set(fields, records)
    return { rows, rejects }
  } catch (error) {
    if (error instanceof PageError) return null
    throw error
  }
}

/** Names of the fields are those of the page, types are the seed's. */
function typed(seed: number): Field[] {
  return NAMES.map((name, i) => ({ name, type: TYPED[(seed + i * 3) % TYPED.length] as Field['type'], nullable: true }))
}

/** Rows of records whose values the builders take one by one. */
function byBuilders<T>(records: T[], fields: Field[], put: (record: T, column: ColumnBuilder, row: number) => Refusal) {
  const columns = fields.map((field) => columnBuilder(field))
  let row = 0
  for (const record of records) {
    const refusals = columns.filter((column) => put(record, column, row) !== null)
    if (refusals.length === 0) row++
    else for (const column of columns) column.clear(row)
  }
  const batch = { fields, rows: row, columns: columns.map((column) => column.finish(row)) }
  return { rows: textRows(batch), rejects: records.length - row }
}

/** As `expect`, which takes longer than all the rest of a page. */
function same(found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) expect(found).toEqual(wanted)
}

function eachSeed(check: (seed: number) => void): void {
  const seeds = SEED === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(SEED)]
  for (const seed of seeds) {
    try {
      check(seed)
    } catch (error) {
      throw new Error(`LAKEWARD_SEED=${seed}`, { cause: error })
    }
  }
}

// ------------------------------------------------------------------------------------------------------------- JSON
type Parsed = Record<string, unknown>

/** The records of a page by JSON.parse; null: it is refused, or has no such records. */
function parsed(body: Buffer): Parsed[] | null {
  const fatal = new TextDecoder('utf-8', { fatal: true })
  try {
    const { records } = JSON.parse(fatal.decode(body)) as { records: unknown }
    return Array.isArray(records) && records.every((each) => isObject(each)) ? records : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Parsed {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checkJson(body: Buffer): Outcome | null {
  const raw = read(body, JSON_SHAPE, RAW)
  const wanted = parsed(body)
  same(raw === null, wanted === null)
  if (raw === null) return null
  const rows = raw.rows.map((row) => NAMES.map((name) => (row[name] === null ? null : JSON.parse(row[name]!))))
  expect(rows).toEqual(
    wanted!.map((record) => NAMES.map((name) => (Object.hasOwn(record, name) ? record[name] : null))),
  )
  return raw
}

function checkTypes(body: Buffer, raw: Outcome, fields: Field[]): void {
  const wanted = byBuilders(raw.rows, fields, (row, column, at) => {
    const value = row[column.field.name] ?? 'null'
    const bytes = Buffer.from(value)
    if (value === 'null') return null
    if (value.startsWith('"')) {
      const text = Buffer.from(JSON.parse(value) as string)
      return column.text(text, 0, text.length, at)
    }
    if (/^[{[]/.test(value)) return 'nested'
    return value === 'true' || value === 'false'
      ? column.boolean(value === 'true', at)
      : column.number(bytes, 0, bytes.length, at)
  })
  same(read(body, JSON_SHAPE, fields), wanted)
}

it('reads of JSON what JSON.parse reads, whole, damaged and cut', () => {
  eachSeed((seed) => {
    const chance = chances(seed)
    const { body, records } = jsonPage(chance)
    const bytes = Buffer.from(body)
    const raw = checkJson(bytes)!
    same(raw.rows.length, records.length)
    const twice = records.some((record) => repeats(record))
    if (!twice) checkTypes(bytes, raw, typed(seed))
    checkJson(damaged(bytes, chance))
    checkJson(bytes.subarray(0, chance.int(bytes.length)))
  })
})

it('reads of JSON lines what JSON.parse reads of each, and sets the others apart', () => {
  eachSeed((seed) => {
    const chance = chances(seed)
    const lines = jsonPage(chance).records.filter((record) => !/[\r\n]/.test(record))
    const body = damaged(
      Buffer.from(lines.join(chance.pick(['\n', '\r\n', ' \n\n'])) + chance.pick(['', '\n'])),
      chance,
    )
    if (!isText(body)) return
    const wanted = body
      .toString()
      .split('\n')
      .filter((line) => /[^ \t\r]/.test(line))
      .map((line, at) => parsed(Buffer.from(`{"records":[${at === 0 ? line.replace(/^\ufeff/, '') : line}]}`)))
    const good = wanted.flatMap((each) => (each?.length === 1 ? each : []))
    const found = read(body, { format: 'jsonl', badLines: 'reject' }, RAW)!
    const rows = found.rows.map((row) => NAMES.map((name) => (row[name] === null ? null : JSON.parse(row[name]!))))
    same(
      rows,
      good.map((record) => NAMES.map((name) => (Object.hasOwn(record, name) ? record[name] : null))),
    )
    same(found.rejects, wanted.length - good.length)
  })
})

/** Some member stands there twice: the first one counts too, when it is refused. */
function repeats(record: string): boolean {
  let members = 0
  JSON.parse(record, function (this: unknown, _, value: unknown) {
    if (isObject(value)) members += Object.keys(value).length
    return value
  })
  let written = 0
  for (const [token] of record.matchAll(/"(?:[^"\\]|\\.)*"\s*:?/g)) if (token.endsWith(':')) written++
  return written !== members
}

// -------------------------------------------------------------------------------------------------------------- CSV
/** What the page's lines are by the plain reader; null: it is refused. */
function plainly({ shape, columns }: CsvPage, body: Buffer): { lines: Read[][]; wrong: number } | null {
  const { lines, open } = readCsv(body.toString(), shape.delimiter, shape.quote ?? '"')
  if (open || !isText(body)) return null
  const isBlank = (line: Read[]) =>
    columns.length > 1 && line.length === 1 && !line[0]!.isQuoted && line[0]!.value === ''
  const filled = lines.slice(1).filter((line) => line === null || !isBlank(line))
  const right = filled.filter((line) => line?.length === columns.length) as Read[][]
  return { lines: right, wrong: filled.length - right.length }
}

function isText(body: Buffer): boolean {
  return Buffer.from(body.toString()).equals(body)
}

function checkCsv(page: CsvPage, body: Buffer, fields: Field[]): void {
  const { shape, columns } = page
  const wanted = plainly(page, body)
  const records = body.subarray(body.includes(0x0a) ? body.indexOf(0x0a) + 1 : body.length)
  const found = read(records, { ...shape, header: false, columns }, fields)
  same(found === null, wanted === null)
  if (!wanted) return
  const { rows, rejects } = byBuilders(wanted.lines, fields, (line, column, at) => {
    const { value, isQuoted } = line[columns.indexOf(column.field.name)] ?? { value: null, isQuoted: false }
    if (
      value === null ||
      (value === '' && (shape.noEmpty || column.emptyIsNull)) ||
      (!isQuoted && value === shape.nullText)
    )
      return null
    if (column.raw && !isJson(value)) return 'no JSON'
    const bytes = Buffer.from(value)
    return column.text(bytes, 0, bytes.length, at)
  })
  same(found, { rows, rejects: rejects + wanted.wrong })
}

it('reads of CSV what csv-parse reads, whole, damaged and cut', () => {
  eachSeed((seed) => {
    const chance = chances(seed)
    const page = csvPage(chance)
    const { shape, columns } = page
    const body = Buffer.from(page.body)
    const fields = chance.once(2) ? typed(seed) : fieldsOf(Object.fromEntries(columns.map((name) => [name, 'string'])))
    checkCsv(page, body, fields)
    // A plain reader of our own is held against another's where that one takes the page.
    const theirs = strict(page)
    if (theirs) {
      const ours = readCsv(page.body, shape.delimiter, shape.quote ?? '"').lines
      same(
        ours.map((line) => line!.map(({ value }) => value)),
        theirs,
      )
    }
    const first = body.indexOf('\n') + 1
    if (first === 0 || first === body.length) return
    const rest = body.subarray(first)
    checkCsv(page, Buffer.concat([body.subarray(0, first), damaged(rest, chance)]), fields)
    checkCsv(page, body.subarray(0, first + chance.int(rest.length)), fields)
  })
})

function strict({ body, shape, columns }: CsvPage): string[][] | null {
  const options = { delimiter: shape.delimiter, quote: shape.quote ?? '"', escape: shape.quote ?? '"' }
  try {
    const lines = parse(body, { ...options, record_delimiter: ['\r\n', '\n'], relax_column_count: true, bom: false })
    return columns.length > 1 && lines.some((line) => line.length === 1) ? null : lines
  } catch {
    return null
  }
}

// ------------------------------------------------------------------------------------------------------------- cuts
const NASTY_JSON =
  '\ufeff{"a":{"records":[]},"records": [\n' +
  '{"attributes":{"type":"A","url":"/x\\u0022/"},"Id":"a\\"é😀\\ud83d\\ude00\\ud83d","n":-0.5e+3,' +
  '"CreatedDate":null},' +
  '{"attributes":{"type":"A","url":"/}{"},"Id":"b","n":12,"CreatedDate":"2026-05-06T11:56:44.000Z"} ,\r\n' +
  '{"attributes":{"type":"A","url":""},"Id":"","n":0,"CreatedDate":true},' +
  '{"n":1,"Id":"x","deep":[[{"a":[]}],"]"],"more":{},"CreatedDate":false},' +
  '{},{"Id":"日本日本日本","Id":"twice"}],"done":true}\n'
const NASTY_CSV =
  'Id,n,CreatedDate\r\n"a""b",1,\r\n"","2","x\r\ny"\n\n"é😀",,"日本"\r\n' +
  '"a" b,c\n1,2\nx"y,"""",""\n"last","in","line"'

it('gives of JSON that is cut anywhere what JSON.parse gives: nothing', () => {
  const body = Buffer.from(NASTY_JSON)
  for (let cut = 0; cut <= body.length; cut++) {
    const raw = checkJson(body.subarray(0, cut))
    expect(raw !== null).toBe(cut >= body.length - 1)
  }
})

it('gives of CSV that is cut anywhere the whole records before the cut, and the last as it stands', () => {
  const body = Buffer.from(NASTY_CSV)
  const shape = { format: 'csv', delimiter: ',', header: true, nullText: '' } as const
  const page = { body: NASTY_CSV, shape, columns: ['Id', 'n', 'CreatedDate'] }
  for (let cut = body.indexOf('\n') + 1; cut <= body.length; cut++) {
    checkCsv(page, body.subarray(0, cut), typed(0))
    checkCsv(page, body.subarray(0, cut), fieldsOf({ Id: 'string', n: 'string', CreatedDate: 'string' }))
  }
})

it('comes to an end where there are no columns at all', () => {
  const shape: Shape = { format: 'csv', delimiter: ',', header: false, nullText: '', columns: [] }
  expect(read(Buffer.from(''), shape, RAW)).toEqual({ rows: [], rejects: 0 })
  expect(read(Buffer.from('a\n\nb'), shape, RAW)).toEqual({ rows: [], rejects: 2 })
})

it('refuses bytes that are no UTF-8, wherever they stand', () => {
  const json = Buffer.from(NASTY_JSON)
  const csv = Buffer.from(NASTY_CSV)
  for (const wrong of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe6, 0x97], [0x80]]) {
    const at = (body: Buffer) => body.indexOf('日')
    const spoiled = (body: Buffer) =>
      Buffer.concat([body.subarray(0, at(body)), Buffer.from(wrong), body.subarray(at(body))])
    expect(read(spoiled(json), JSON_SHAPE, RAW)).toBeNull()
    expect(read(spoiled(csv), { format: 'csv', delimiter: ',', header: true, nullText: '' }, RAW)).toBeNull()
  }
})
