/** `format`, `csv` and `schema`: what a flow says of files, and what is wrong with it. */
import { describe, expect, it } from 'vitest'
import type { Connector, JsonObject } from '../../connectors/connector.ts'
import { InputError } from '../../connectors/errors.ts'
import { file } from '../../connectors/file/file.ts'
import { checkOptions, parseFlow } from '../../connectors/flow.ts'
import type { Flow } from '../../connectors/flow.ts'
import { expandPatterns } from '../../connectors/flow-patterns.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'

const object = { object: 'orders/*.csv', into: 'orders', schema: { id: 'int64' } }
const written = (source: JsonObject, more: JsonObject = {}): JsonObject => ({
  version: 1,
  name: 'orders',
  source: { connection: 'in', ...source },
  destination: { connection: 'lake' },
  ...more,
})
const right = (source: JsonObject): Flow => parseFlow(written(source))

function problems(source: JsonObject, connector?: Connector, more?: JsonObject): string[] {
  try {
    const flow = parseFlow(written(source, more))
    if (connector) checkOptions(flow, connector)
  } catch (error) {
    if (error instanceof InputError) return error.problems.map(({ where, what }) => `${where}: ${what}`)
    throw error
  }
  return []
}

describe('objects of files', () => {
  it('are complete with every default, and an object wins over the source key by key', () => {
    const shared = { format: 'csv', csv: { delimiter: ';', null: 'NULL' } }
    const [one, two] = right({
      ...shared,
      objects: [object, { ...object, object: 'x.csv', into: 'x', csv: { delimiter: '\t' } }],
    }).source.objects
    const csv = { delimiter: ';', header: true, quote: '"', encoding: 'utf-8', null: 'NULL' }
    expect(one!.files).toEqual({ format: 'csv', csv, schema: { id: 'int64' } })
    expect(two!.files!.csv).toEqual({ ...csv, delimiter: '\t' })
  })

  it('are one object each, however many files a pattern takes, and may have an id and a folder', () => {
    const { objects } = right({ format: 'csv', objects: [{ ...object, id: 'orders' }] }).source
    expect(expandPatterns(objects, []).objects).toMatchObject([
      { object: 'orders/*.csv', id: 'orders', into: 'orders' },
    ])
  })

  it('reach the connector as options of theirs', () => {
    const flow = checkOptions(right({ format: 'jsonl', objects: [object] }), file)
    expect(flow.source.objects[0]!.options).toMatchObject({ format: 'jsonl', schema: { id: 'int64' } })
  })

  it('may write layout appflow, without a folder', () => {
    const destination = { connection: 'lake', layout: 'appflow' }
    expect(
      problems({ format: 'csv', objects: [{ object: '*.csv', schema: { a: 'date' } }] }, file, { destination }),
    ).toEqual([])
  })
})

describe('is refused with what to do:', () => {
  const at = 'source.objects[0]'
  it.each<[string, JsonObject, Connector | undefined, string[]]>([
    [
      'no schema',
      { format: 'csv', objects: [{ object: '*.csv', into: 'a' }] },
      undefined,
      [`${at}: \`schema\` is missing`],
    ],
    [
      'no folder',
      { format: 'csv', objects: [{ object: '*.csv', schema: { a: 'date' } }] },
      undefined,
      [`${at}: \`into\` is missing`],
    ],
    ['no format', { objects: ['a.csv'] }, file, [`${at}: file has files, and nothing says how 'a.csv' is read`]],
    [
      'csv without a format',
      { csv: { header: true }, objects: ['a'] },
      undefined,
      ['source.csv: `csv` says how files are read'],
    ],
    [
      'csv of another format',
      { format: 'jsonl', objects: [{ ...object, csv: {} }] },
      undefined,
      [`${at}.csv: \`csv\` is for files`],
    ],
    [
      'a format where there are no files',
      { format: 'csv', objects: [object] },
      salesforce,
      [`${at}: salesforce has no files`],
    ],
    [
      'a delimiter of two letters',
      { format: 'csv', csv: { delimiter: '||' }, objects: [object] },
      undefined,
      ["source.csv.delimiter: '||' is not one character"],
    ],
    [
      'one mark for both',
      { format: 'csv', csv: { quote: ',' }, objects: [object] },
      undefined,
      ['source.csv.quote: is the delimiter'],
    ],
    [
      'an unknown encoding',
      { format: 'csv', csv: { encoding: 'utf-9' }, objects: [object] },
      undefined,
      ["source.csv.encoding: 'utf-9' is no encoding"],
    ],
    [
      'a type that is none',
      { format: 'csv', objects: [{ ...object, schema: { id: 'bigint' } }] },
      undefined,
      [`${at}.schema.id: 'bigint' is not a type`],
    ],
    [
      'an option',
      { format: 'csv', options: { glob: 'x' }, objects: [object] },
      file,
      ["source.options.glob: unknown key 'glob'"],
    ],
  ])('%s', (_, source, connector, expected) => {
    const found = problems(source, connector)
    expect(found).toHaveLength(expected.length)
    expected.forEach((text, i) => expect(found[i]).toContain(text))
  })
})
