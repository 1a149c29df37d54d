/** Files of a directory as a source: every version of a file once, whole, from any cursor. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import zlib from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConnectorError } from '../../connectors/errors.ts'
import { file } from '../../connectors/file/file.ts'
import type { FieldType, Json } from '../../connectors/connector.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import { FileReader } from './file-reader.ts'

let root: string
let reader: FileReader
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lakeward-files-'))
  reader = new FileReader(file, { path: root })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

let clock = 1_700_000_000
function put(key: string, body: string | Uint8Array): void {
  mkdirSync(dirname(join(root, key)), { recursive: true })
  writeFileSync(join(root, key), body)
  clock += 1
  utimesSync(join(root, key), clock, clock)
}

const csv = { format: 'csv', schema: { id: 'int64', name: 'string' } satisfies Record<string, FieldType> } as const
const jsonl = { ...csv, format: 'jsonl' } as const
const ids = ({ rows }: { rows: Record<string, string | null>[] }) => rows.map(({ id }) => id)

describe('which files', () => {
  it('those of the pattern, hidden names and other folders left out, the oldest first', async () => {
    put('orders/b.csv', 'id\n1\n')
    put('orders/a.csv', 'id\n2\n')
    for (const key of ['orders/_tmp.csv', 'orders/.x.csv', 'orders/a.txt', 'orders/deep/c.csv', 'other/a.csv'])
      put(key, 'id\n9\n')
    symlinkSync('nowhere', join(root, 'orders/link.csv'))
    expect(ids(await reader.run('orders/*.csv', csv))).toEqual(['1', '2'])
    expect(ids(await reader.run('orders/**.csv', csv))).toEqual(['1', '2', '9'])
    expect(ids(await reader.run('**/a.csv', csv))).toEqual(['2', '9'])
    expect(ids(await reader.run('orders/_tmp.csv', csv))).toEqual(['9'])
  })

  it('each version once: new files, changed ones, and late ones with old times; none again', async () => {
    put('a.csv', 'id\n1\n')
    const first = await reader.run('*.csv', csv)
    expect([ids(first), (await reader.run('*.csv', csv, { state: first.state })).rows]).toEqual([['1'], []])
    put('late.csv', 'id\n2\n')
    utimesSync(join(root, 'late.csv'), 1000, 1000)
    put('a.csv', 'id\n1\n3\n')
    const second = await reader.run('*.csv', csv, { state: first.state })
    expect(ids(second)).toEqual(['2', '1', '3'])
    renameSync(join(root, 'late.csv'), join(root, 'gone.txt'))
    const third = await reader.run('*.csv', csv, { state: second.state })
    renameSync(join(root, 'gone.txt'), join(root, 'late.csv'))
    expect([third.rows, (await reader.run('*.csv', csv, { state: third.state })).rows]).toEqual([[], []])
  })

  it('young ones wait, startFrom and windows go by the time of change, a full read takes all', async () => {
    put('old.csv', 'id\n1\n')
    put('new.csv', 'id\n2\n')
    const at = new Date(clock * 1000).toISOString()
    writeFileSync(join(root, 'young.csv'), 'id\n3\n')
    const settled = await reader.run('*.csv', csv, { settleMs: 60_000 })
    expect(ids(settled)).toEqual(['1', '2'])
    expect(settled.plan.notes.join(' ')).toMatch(/1 file changed in the last 60 s/)
    expect(ids(await reader.run('*.csv', csv, { from: at }))).toEqual(['2', '3'])
    expect(ids(await reader.run('*.csv', csv, { mode: 'window', from: '2020-01-01T00:00:00Z', to: at }))).toEqual(['1'])
    expect(ids(await reader.run('*.csv', csv, { mode: 'full', state: settled.state }))).toEqual(['1', '2', '3'])
  })

  it('a directory that is not there is no empty one', async () => {
    rmSync(root, { recursive: true })
    await expect(reader.plan('*.csv', csv)).rejects.toThrow(/no such directory/)
  })

  it('are offered as patterns', async () => {
    put('orders/1.csv.gz', zlib.gzipSync('id\n1\n'))
    put('orders/2.csv.gz', zlib.gzipSync('id\n1\n'))
    put('x.jsonl', '{}')
    const names: string[] = []
    for await (const { name } of reader.source.objects(reader.session())) names.push(name)
    expect(names).toEqual(['orders/*.csv.gz', '*.jsonl'])
  })
})

describe('what is in them', () => {
  const text = 'id,name\r\n1,"Zoë, ""Z""\r\nline"\r\n2,\r\n'
  const rows = [
    { id: '1', name: 'Zoë, "Z"\r\nline' },
    { id: '2', name: null },
  ]

  it.each<[string, string | Uint8Array, object]>([
    ['UTF-8', text, {}],
    ['with a byte order mark', `\ufeff${text}`, {}],
    ['gzip', zlib.gzipSync(text), {}],
    ['gzip of several members', Buffer.concat([zlib.gzipSync(text.slice(0, 20)), zlib.gzipSync(text.slice(20))]), {}],
    ['windows-1252', Buffer.from(text, 'latin1'), { encoding: 'windows-1252' }],
    ['utf-16le with a mark', Buffer.from(`\ufeff${text}`, 'utf16le'), { encoding: 'utf-16le' }],
    ['utf-16le in gzip', zlib.gzipSync(Buffer.from(text, 'utf16le')), { encoding: 'utf-16le' }],
    ['no line end at the end', text.slice(0, -2), {}],
    ['tabs', text.replaceAll(/(?<=^id|^2|^1),/gm, '\t'), { delimiter: '\t' }],
    ['no header', text.slice(text.indexOf('\n') + 1), { header: false }],
  ])('CSV: %s', async (_, body, how) => {
    put('a.csv', body)
    expect(await reader.run('*.csv', { ...csv, csv: how })).toMatchObject({ rows, rejects: [] })
  })

  it('zstd is read where Node has it, and told where it has not', async () => {
    const { zstdCompressSync } = zlib as { zstdCompressSync?: (text: Uint8Array) => Uint8Array }
    // An empty frame, for a Node that cannot make one.
    put('a.csv', zstdCompressSync?.(Buffer.from(text)) ?? Buffer.from('28b52ffd2000010000', 'hex'))
    const read = reader.run('*.csv', csv)
    if (zstdCompressSync) expect(await read).toMatchObject({ rows })
    else await expect(read).rejects.toThrow(/cannot read zstd/)
  })

  it('bad lines and values that do not fit are set apart, the rest is read', async () => {
    put('a.csv', 'id,name\n1,a\nx,b\n2\n3,c\n')
    put('b.jsonl', '{"id":1}\n{"id":"x"}\nnonsense\n{"id":3}')
    const [one, two] = [await reader.run('*.csv', csv), await reader.run('*.jsonl', jsonl)]
    for (const found of [one, two]) expect([ids(found), found.rejects.length]).toEqual([['1', '3'], 2])
  })

  it('columns that a file lacks are null, and that is said', async () => {
    put('in/a.csv', 'id,more\n1,x\n')
    const found = await reader.run('in/*.csv', csv)
    expect(found.rows).toEqual([{ id: '1', name: null }])
    expect(found.notes.join()).toMatch('Files in in/ have no column name')
  })

  it.each<[string, string, string | Uint8Array, typeof csv | typeof jsonl, RegExp]>([
    ['an open quote', 'a.csv', 'id,name\n1,"a\n2,b\n', csv, /ends in the middle of a record/],
    ['a line that is cut', 'a.csv', 'id,name\n1,a\n2', csv, /ends in the middle of a record/],
    ['a JSON line that is cut', 'a.jsonl', '{"id":1}\n{"id":', jsonl, /ends in the middle of a record/],
    [
      'gzip that is cut',
      'a.csv',
      zlib.gzipSync(`id\n${'1\n'.repeat(9999)}`).subarray(0, -12),
      csv,
      /no whole gzip file/,
    ],
    ['another encoding', 'a.csv', Buffer.from('id,name\n1,Zoë\n', 'latin1'), csv, /it is not UTF-8/],
    ['another header', 'a.csv', 'x;y\n1;2\n', csv, /none of the columns/],
    ['a column twice', 'a.csv', 'id,id\n1,2\n', csv, /has id twice/],
  ])('%s is an error that names the file: nobody knows what is missing', async (_, key, body, how, message) => {
    put(key, body)
    const error = await reader.run('*', how).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConnectorError)
    expect(error).toMatchObject({ kind: 'rejected', message: expect.stringMatching(message) as string })
    expect((error as Error).message).toContain(`${root}/${key}`)
  })

  it('empty files, and files with a header alone, are read and done', async () => {
    put('a.csv', '')
    put('b.csv', 'id,name')
    put('c.csv', 'id,name\n5,x\n')
    const found = await reader.run('*.csv', csv)
    expect(ids(found)).toEqual(['5'])
    expect((await reader.run('*.csv', csv, { state: found.state })).plan.notes[0]).toMatch(/^0 files of 3/)
  })
})

describe('large files', () => {
  const lines = (count: number): string =>
    Array.from({ length: count }, (_, i) => `${i},"${'é"",\n'.repeat(i % 30)}"\n`).join('')
  const body = `id,name\n${lines(45_000)}`

  it.each([
    ['plain', Buffer.from(body), {}],
    ['gzip', zlib.gzipSync(body), {}],
    ['utf-16', Buffer.from(body, 'utf16le'), { encoding: 'utf-16le' }],
  ] as [string, Uint8Array, { encoding?: string }][])(
    'come in pages, and from every cursor exactly the rest: %s',
    async (_, bytes, how) => {
      put('a.csv', bytes)
      put('b.csv', how.encoding ? Buffer.from('id,name\n45000,x\n', 'utf16le') : 'id,name\n45000,x\n')
      const plan = await reader.plan('*.csv', { ...csv, csv: how })
      const [range] = plan.ranges
      const read = async (from: Json) => {
        const pages = []
        for await (const page of reader.pages(plan, range!, from)) {
          const found = [...decodePage(page, [{ name: 'id', type: 'int64', nullable: false }])]
          expect(found.flatMap(({ rejects }) => rejects)).toEqual([])
          pages.push({ next: page.next, rows: found.reduce((sum, { batch }) => sum + batch.rows, 0) })
        }
        return pages
      }
      const pages = await read(null)
      expect(pages.length).toBeGreaterThan(3)
      expect(pages.reduce((sum, { rows }) => sum + rows, 0)).toBe(45_001)
      const rest = (from: typeof pages): number => from.reduce((sum, { rows }) => sum + rows, 0)
      for (const at of [0, 2, pages.length - 2])
        expect(rest(await read(pages[at]!.next))).toBe(rest(pages.slice(at + 1)))
    },
  )

  it('are read by several ranges at once where there are several', async () => {
    for (const i of [1, 2, 3, 4, 5, 6, 7, 8]) put(`${i}.csv`, `id,name\n${lines(200 * i)}`)
    const found = await reader.run('*.csv', csv, { parallel: 4 })
    expect(found.plan.ranges.length).toBeGreaterThan(2)
    expect(found.rows).toHaveLength(7200)
  })

  it.each([
    ['changes', (path: string) => writeFileSync(path, readFileSync(path).fill(0x78, 3_000_000)), 'has changed'],
    ['is cut', (path: string) => writeFileSync(path, body.slice(0, 2_000_000)), 'has changed'],
    ['goes', (path: string) => rmSync(path), 'is gone'],
  ])('one that %s while it is read makes the run begin again', async (_, change, how) => {
    put('a.csv', body)
    const plan = await reader.plan('*.csv', csv)
    const pages = reader.pages(plan, plan.ranges[0]!, null)
    const { value } = await pages.next()
    await pages.return(undefined)
    change(join(root, 'a.csv'))
    const error = await reader
      .pages(plan, plan.ranges[0]!, value.next)
      .next()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'cursor-expired', reason: expect.stringContaining(how) as string })
  })
})
