import { describe, expect, it } from 'vitest'
import type { CsvShape, Shape } from '../../connectors/connector.ts'
import { CsvCutter } from '../../connectors/records/csv-records.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import { PageError } from '../../connectors/records/page-error.ts'
import { csvSink } from '../../connectors/records/csv.ts'
import { batchOf, fieldsOf, randoms, textRows } from './tables.ts'

const plain: CsvShape = { format: 'csv', delimiter: ',', header: true, nullText: '' }
const fields = fieldsOf({ id: 'int64', name: 'string', amount: 'decimal(18,2)', day: 'date' })

function read(text: string, shape: Shape = plain, of = fields) {
  const decoded = [...decodePage({ body: Buffer.from(text), shape }, of)]
  return { rows: decoded.flatMap(({ batch }) => textRows(batch)), rejects: decoded.flatMap(({ rejects }) => rejects) }
}

describe('CSV', () => {
  it('is read by its header, in any order, with columns that nobody asked for', () => {
    const { rows, rejects } = read(
      'day,extra,name,id,amount\r\n2026-05-06,x,"O""Neil, ""A""",9007199254740993,1.50\r\n',
    )
    expect(rejects).toEqual([])
    expect(rows).toEqual([{ id: '9007199254740993', name: 'O"Neil, "A"', amount: '1.50', day: '2026-05-06' }])
  })

  it('has line ends, delimiters and quotes as text inside quotes, and quotes as text inside plain fields', () => {
    const { rows } = read('id,name\n1,"a\r\nb,c"\n2,5" pipe\n3,""""\n')
    expect(rows.map(({ name }) => name)).toEqual(['a\r\nb,c', '5" pipe', '"'])
  })

  it('keeps every byte of a text that is longer than any before it and has quotes', () => {
    const long = `say "${'é long '.repeat(1000)}" and more`
    expect(read(`id,name\n1,"${long.replaceAll('"', '""')}"\n`).rows[0]!['name']).toBe(long)
  })

  it('tells null from empty text, and takes an empty number for null, quoted or not', () => {
    expect(read('id,name,amount\n1,,\n2,"",""\n').rows).toEqual([
      { id: '1', name: null, amount: null, day: null },
      { id: '2', name: '', amount: null, day: null },
    ])
    const { rows } = read('id,name\n1,NULL\n2,"NULL"\n3,\n', { ...plain, nullText: 'NULL' })
    expect(rows.map(({ name }) => name)).toEqual([null, 'NULL', ''])
  })

  it('takes "" for null where the source has no empty texts, and knows how many records there are', () => {
    const body = Buffer.from('"id","name"\n"1",""\n"2","a"\n')
    const page = { body, shape: { ...plain, noEmpty: true as const }, records: 2 }
    const [decoded] = decodePage(page, fields)
    expect(textRows(decoded!.batch).map(({ name }) => name)).toEqual([null, 'a'])
    expect(() => [...decodePage({ ...page, records: 3 }, fields)]).toThrow('has 2 records, and the source says 3')
  })

  it('rejects a line that is no record, or has a value that does not fit, and no other', () => {
    const { rows, rejects } = read('id,name\n1,a\n2\n3,b,c\n4,"x"y\nfive,z\n6,b\n')
    expect(rows.map(({ id }) => id)).toEqual(['1', '6'])
    expect(rejects.map(({ rule, row }) => [rule, JSON.parse(row)])).toEqual([
      ['csv', { line: '2' }],
      ['csv', { line: '3,b,c' }],
      ['csv', { line: '4,"x"y' }],
      ['type', { id: 'five', name: 'z' }],
    ])
  })

  it('that ends inside quotes is refused: nobody knows what is missing', () => {
    expect(() => read('id,name\n1,"a\n2,b\n')).toThrow(PageError)
  })

  it('skips blank lines, but where there is one column a blank line is a null', () => {
    expect(read('id,name\n\n1,a\n\r\n2,b').rows).toHaveLength(2)
    expect(read('name\na\n\nb\n', plain, fieldsOf({ name: 'string' })).rows.map(({ name }) => name)).toEqual([
      'a',
      null,
      'b',
    ])
  })

  it('goes without a header, by other delimiters and quotes, or none', () => {
    const shape: CsvShape = { ...plain, header: false, columns: ['id', 'name'], delimiter: '|', quote: "'" }
    expect(read("1|'a|b'\n", shape).rows[0]).toMatchObject({ id: '1', name: 'a|b' })
    expect(read('1\t"a\n', { ...shape, delimiter: '\t', quote: '' }).rows[0]).toMatchObject({ name: '"a' })
  })

  it('takes json that is JSON, and rejects the rest', () => {
    const { rows, rejects } = read('j\n"{""a"": 1}"\n{bad\n', plain, fieldsOf({ j: 'json' }))
    expect(rows).toEqual([{ j: '{"a": 1}' }])
    expect(rejects).toMatchObject([{ field: 'j', rule: 'type' }])
  })

  it('as it is written here reads back the same, whatever is in it', () => {
    const random = randoms(3)
    const pieces = ['', 'a', '"', ',', '\n', '\r\n', 'é😀', ' ', 'NULL', "'"]
    const text = fieldsOf({ a: 'string', b: 'string' })
    const value = () =>
      random() < 0.2 ? null : Array.from({ length: random() * 5 }, () => pieces[Math.floor(random() * 10)]).join('')
    const rows = Array.from({ length: 800 }, () => ({ a: value(), b: value() }))
    const sink = csvSink(text)
    sink.append(batchOf(text, rows))
    const bytes = Buffer.concat([...sink.drain(), ...sink.finish()])
    expect(read(bytes.toString(), plain, text).rows).toEqual(rows)
    // Cut anywhere, pieces of any size: every cut lies between two records.
    const whole = decodeFrom(bytes, [bytes.length])
    for (const size of [1, 7, 100]) expect(decodeFrom(bytes, [size])).toEqual(whole)
  })
})

/** Rows of what a cutter makes of the bytes in pieces of a size. */
function decodeFrom(bytes: Buffer, [size]: [number]) {
  const cutter = new CsvCutter(plain)
  const rows: unknown[] = []
  let rest: Uint8Array = Buffer.alloc(0)
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size)
    const cut = cutter.push(piece)
    if (cut === 0) {
      rest = Buffer.concat([rest, piece])
      continue
    }
    const page = Buffer.concat([rest, piece.subarray(0, cut)])
    rest = piece.subarray(cut)
    rows.push(
      ...read(page.toString(), { ...plain, header: false, columns: ['a', 'b'] }, fieldsOf({ a: 'string', b: 'string' }))
        .rows,
    )
  }
  expect(rest).toHaveLength(0)
  return rows
}

describe('JSON lines whose bad lines are set apart', () => {
  const shape: Shape = { format: 'jsonl', badLines: 'reject' }
  it('rejects what is no object, lines that are cut, and objects over two lines; the others are read', () => {
    const lines = ['{"id":1}', '{"id":2', '{"id":3}', '[4]', '{"id":5} x', 'nonsense', '{"id":', '6}', '', '{"id":7}\r']
    const { rows, rejects } = read(lines.join('\n'), shape)
    expect(rows.map(({ id }) => id)).toEqual(['1', '3', '7'])
    expect(rejects.map(({ row }) => (JSON.parse(row) as { line: string }).line)).toEqual([
      '{"id":2',
      '[4]',
      '{"id":5} x',
      'nonsense',
      '{"id":',
      '6}',
    ])
    expect(rejects.every(({ rule }) => rule === 'json')).toBe(true)
  })

  it('rejects a value that does not fit with its whole record', () => {
    expect(read('{"id":"x", "name":"n"}\n', shape).rejects).toMatchObject([
      { field: 'id', row: '{"id":"x", "name":"n"}' },
    ])
  })
})
