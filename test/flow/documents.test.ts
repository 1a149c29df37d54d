/** Files as people write them: what is read, where it is written, what is refused. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseText, readDocument } from '../../connectors/document.ts'
import { InputError } from '../../connectors/errors.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakeward-documents-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('what is read', () => {
  it.each<[string, unknown]>([
    ['a: 1\nb: [x, 1.5, true, null, ~]', { a: 1, b: ['x', 1.5, true, null, null] }],
    ['a: yes\nb: no\nc: on\nd: 1_000', { a: 'yes', b: 'no', c: 'on', d: '1_000' }],
    ['a: 2024-01-01\nb: 10:30:00\nc: 0x1F', { a: '2024-01-01', b: '10:30:00', c: 31 }],
    ['1: a\ntrue: b\n1.0: c\nnull: d', { 1: 'a', true: 'b', '1.0': 'c', null: 'd' }],
    ['a: "12345678901234567890"\nb: 100000000000000000000', { a: '12345678901234567890', b: 1e20 }],
    [
      'a: 0.1\nb: -1.50\nc: 1e3\nd: 123456789012345.6\ne: 0.000',
      { a: 0.1, b: -1.5, c: 1000, d: 123456789012345.6, e: 0 },
    ],
    ['a: &x [1]\nb: *x', { a: [1], b: [1] }],
    ['&k a: 1\nb: *k', { a: 1, b: 'a' }],
    ['\uFEFFa: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['---\na: 1\n...\n', { a: 1 }],
    ['{\n\t"a": "\\ud83d\\ude00\\/\\n",\n\t"": [ ]\n}\n', { a: '😀/\n', '': [] }],
    ['a: !!str 12', { a: '12' }],
    ['a: |\n  one\n  two\n', { a: 'one\ntwo\n' }],
  ])('%j', (text, value) => {
    expect(parseText(text, 'f.yaml').value).toEqual(value)
  })

  it('keeps the order of keys', () => {
    expect(Object.keys(parseText('z: 1\na: 2\nm: 3', 'f.yaml').value as object)).toEqual(['z', 'a', 'm'])
  })
})

describe('where things are', () => {
  const document = parseText('a: 1\nb:\n  - x\n  - c: 1\n    d:\n      e: 2\nf: &t\n  g: 3\nh: *t\n', 'dir/f.yaml')
  it.each([
    [[], 'dir/f.yaml:1'],
    [['b', 0], 'dir/f.yaml:3'],
    [['b', 1, 'd', 'e'], 'dir/f.yaml:6'],
    [['b', 1, 'd', 'missing', 0], 'dir/f.yaml:5'],
    [['nowhere'], 'dir/f.yaml:1'],
    [['h'], 'dir/f.yaml:9'],
    [['h', 'g'], 'dir/f.yaml:8'],
  ])('%j', (path, place) => {
    expect(document.at(path)).toBe(place)
  })
})

describe('what is refused', () => {
  it.each<[text: string, where: string, what: RegExp, advice?: RegExp]>([
    ['a: 1\nb: 2\na: 3', 'f.yaml:3 a', /'a' is written twice/, /keep one/],
    ['{"a": {"b": 1, "b": 2}}', 'f.yaml:1 a.b', /'b' is written twice/],
    ['1: a\n"1": b', 'f.yaml:2 ["1"]', /'1' is written twice/],
    ['a: !!binary aGk=', 'f.yaml:1 a', /has a tag/, /remove it/],
    ['a: !secret x', 'f.yaml:1 a', /has a tag/],
    ['a:\n\tb: 1', 'f.yaml:2', /tab/, /spaces/],
    ['a: "x', 'f.yaml:1', /misses a quote/, /not closed/],
    ['a:\n  b: 1\n c: 2', 'f.yaml:3', /is not indented as its neighbours/],
    ['a: Accounts: all', 'f.yaml:1', /mapping or list where text must be/, /in quotes/],
    ['a: @x', 'f.yaml:1', /cannot begin text/, /quotes/],
    ['a: * * * * *', 'f.yaml:1', /name that \* or & can stand before/, /quotes/],
    ['a: *b', 'f.yaml:1 a', /anchor that is not above/],
    ['a: &x [*x]', 'f.yaml:1 a[0][0]', /something it lies in/],
    ['a: "\\q"', 'f.yaml:1', /backslash/, /single quotes/],
    ['a: 1\n---\nb: 2', 'f.yaml:2', /second document/, /one document/],
    ['%YAML 1.1\n---\na: yes', 'f.yaml:1', /YAML 1.1/],
    ['? [a]\n: 1', 'f.yaml:1', /key that is not plain text/],
    [': 1', 'f.yaml:1', /key without a name/],
    ['__proto__: 1', 'f.yaml:1', /__proto__/],
    ['a: 9007199254740993', 'f.yaml:1 a', /cannot be held exactly/, /quotes/],
    ['a: 0.12345678901234567', 'f.yaml:1 a', /cannot be held exactly/],
    ['a: 1e400', 'f.yaml:1 a', /cannot be held exactly/],
    ['a: 1e-400', 'f.yaml:1 a', /cannot be held exactly/],
    ['a: 01234', 'f.yaml:1 a', /zero before it/, /quotes/],
    ['a: .nan', 'f.yaml:1 a', /cannot be held exactly/],
    ['a: 0xFFFFFFFFFFFFFFFF', 'f.yaml:1 a', /cannot be held exactly/],
    ['', 'f.yaml', /is empty/, /version: 1/],
    ['# nothing yet\n', 'f.yaml', /is empty/],
    ['['.repeat(100_000), 'f.yaml', /nested too deeply/],
    ['- '.repeat(100_000), 'f.yaml', /nested too deeply/],
    [`${'['.repeat(70)}${']'.repeat(70)}`, `f.yaml:1 ${'[0]'.repeat(8)}`, /nested too deeply/],
  ])('%.40j', (text, where, what, advice) => {
    const problem = refused(() => parseText(text, 'f.yaml')).problems[0]!
    expect(problem.where).toBe(where)
    expect(problem.what).toMatch(what)
    if (advice) expect(problem.advice).toMatch(advice)
  })

  it('tells everything at once', () => {
    const { problems } = refused(() => parseText('a: 1\na: 2\nb: !x 1\nc: .inf', 'f.yaml'))
    expect(problems.map(({ where }) => where)).toEqual(['f.yaml:2 a', 'f.yaml:3 b', 'f.yaml:4 c'])
  })

  it('aliases that stand for billions', () => {
    const layers = ['b', 'c', 'd', 'e', 'f', 'g', 'h'].map(
      (name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[index]}`).join(', ')}]`,
    )
    const bomb = ['a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]', ...layers].join('\n')
    expect(refused(() => parseText(bomb, 'f.yaml')).message).toMatch(/too many values/)
  })

  it('without a word of the file in the message', () => {
    const texts = [
      'key: "canary',
      'canary: [',
      'a: &canary *canary',
      '"canary" canary',
      'a: canary: canary',
      '%canary',
      'a: !canary x',
    ]
    for (const text of texts) expect(refused(() => parseText(text, 'f.yaml')).message).not.toContain('canary')
  })
})

describe('files', () => {
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    const path = join(directory, name)
    await writeFile(path, content)
    return path
  }

  it('are read by content, whatever they are called', async () => {
    const path = await write('flow.txt', '{"a": 1}')
    expect(await readDocument(path)).toMatchObject({ path, value: { a: 1 } })
  })

  it.each<[string, () => Promise<string>, RegExp]>([
    ['missing', () => Promise.resolve(join(directory, 'none.yaml')), /does not exist\n.*looked from/],
    ['below a file', async () => join(await write('file', ''), 'x.yaml'), /does not exist/],
    [
      'a directory',
      async () => mkdir(join(directory, 'flows'), { recursive: true }).then(() => join(directory, 'flows')),
      /is a directory\n.*name the file in it/,
    ],
    ['Latin-1', () => write('latin.yaml', Buffer.from('a: Z\xfcrich', 'latin1')), /is not UTF-8\n.*save it/],
    ['UTF-16', () => write('utf16.yaml', Buffer.from('\uFEFFa: 1', 'utf16le')), /is not UTF-8/],
    ['binary', () => write('nul.yaml', 'a: 1\0'), /is not text/],
    ['huge', () => write('huge.yaml', `# ${'x'.repeat(1024 * 1024)}`), /larger than 1 MB/],
  ])('%s', async (_, make, message) => {
    const path = await make()
    const error: unknown = await readDocument(path).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(InputError)
    expect((error as InputError).problems[0]!.where).toBe(path)
    expect((error as InputError).message).toMatch(message)
  })
})

function refused(work: () => unknown): InputError {
  try {
    work()
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
