/** Right flows and what they mean, with every default filled in. */
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connectors/connector.ts'
import { parseText } from '../../connectors/document.ts'
import { type Flow, type FlowObject, parseFlow } from '../../connectors/flow.ts'
import { cronProblem } from '../../connectors/flow-cron.ts'
import { readPartition } from '../../connectors/flow-destination.ts'
import { readTemplate, readTime } from '../../connectors/flow-values.ts'

const smallest: JsonObject = {
  version: 1,
  name: 'orders',
  source: { connection: 'crm', objects: ['Account'] },
  destination: { connection: 'lake' },
}

const withSource = (members: JsonObject): Flow =>
  parseFlow({ ...smallest, source: { connection: 'crm', objects: ['Account'], ...members } })
const withObject = (members: JsonObject, source: JsonObject = {}): FlowObject =>
  withSource({ ...source, objects: [{ object: 'Account', ...members }] }).source.objects[0]!
const withDestination = (members: JsonObject): Flow['destination'] =>
  parseFlow({ ...smallest, destination: { connection: 'lake', ...members } }).destination

describe('defaults', () => {
  it('fills in everything', () => {
    expect(parseFlow(smallest)).toEqual({
      version: 1,
      name: 'orders',
      source: {
        connection: 'crm',
        options: {},
        objects: [
          {
            object: 'Account',
            id: 'Account',
            into: 'Account',
            where: null,
            transform: [],
            onInvalid: 'quarantine',
            read: 'incremental',
            options: {},
          },
        ],
      },
      destination: {
        connection: 'lake',
        prefix: '',
        write: 'append',
        format: 'parquet',
        layout: 'lakeward',
        partitionBy: [],
        commitEvery: null,
        fileSizeBytes: 256 * 1024 * 1024,
        onReject: 'quarantine',
        options: {},
      },
      onDrift: 'evolve',
      onInvalid: 'quarantine',
      trigger: { kind: 'none' },
      notify: [],
      tags: {},
      taskQueue: 'lakeward',
      run: { full: false, keepOld: false, again: false, queue: false, evenPaused: false, replay: false },
    } satisfies Flow)
  })

  it("lets an object's own keys win over the source's", () => {
    const shared = {
      read: 'full',
      startFrom: '2024-01-01',
      settle: '10m',
      cursorField: 'A',
      includeDeleted: true,
      options: { a: 1, b: 2 },
    }
    expect(withObject({}, shared)).toMatchObject({
      read: 'full',
      startFrom: '2024-01-01T00:00:00.000Z',
      settleMs: 600_000,
      cursorField: 'A',
      includeDeleted: true,
      options: { a: 1, b: 2 },
    })
    const own = {
      read: 'incremental',
      startFrom: '2025-01-01',
      settle: '0s',
      cursorField: 'B',
      includeDeleted: false,
      options: { b: 3 },
    }
    expect(withObject(own, shared)).toMatchObject({
      read: 'incremental',
      startFrom: '2025-01-01T00:00:00.000Z',
      settleMs: 0,
      cursorField: 'B',
      includeDeleted: false,
      options: { a: 1, b: 3 },
    })
  })

  it('hands onInvalid down from flow to object to validation', () => {
    const validate = (onInvalid?: string): JsonObject => ({
      validate: { fields: ['A'], rule: 'notNull', ...(onInvalid && { onInvalid }) },
    })
    const flow = parseFlow({
      ...smallest,
      onInvalid: 'drop',
      source: {
        connection: 'crm',
        objects: [
          { object: 'A', transform: [validate(), validate('fail')] },
          { object: 'B', onInvalid: 'quarantine', transform: [validate()] },
        ],
      },
    })
    const [a, b] = flow.source.objects
    expect(a).toMatchObject({
      onInvalid: 'drop',
      transform: [{ validate: { onInvalid: 'drop' } }, { validate: { onInvalid: 'fail' } }],
    })
    expect(b).toMatchObject({ onInvalid: 'quarantine', transform: [{ validate: { onInvalid: 'quarantine' } }] })
  })

  it('reads the same from the document every time, and leaves it as it was', () => {
    const before = JSON.stringify(smallest)
    expect(parseFlow(smallest)).toEqual(parseFlow(JSON.parse(before)))
    expect(JSON.stringify(smallest)).toBe(before)
  })
})

describe('top', () => {
  it.each<[JsonObject, Partial<Flow>]>([
    [{ description: '' }, { description: '' }],
    [{ paused: false }, { paused: false }],
    [{ tags: { team: 'data' } }, { tags: { team: 'data' } }],
    [{ taskQueue: 'eu' }, { taskQueue: 'eu' }],
    [{ onDrift: 'fail' }, { onDrift: 'fail' }],
  ])('%j', (members, parsed) => {
    expect(parseFlow({ ...smallest, ...members })).toMatchObject(parsed)
  })

  it('takes names up to 64 characters', () => {
    expect(parseFlow({ ...smallest, name: `0${'a_.-'.repeat(15)}abc` }).name).toHaveLength(64)
  })
})

describe('run', () => {
  it.each<[JsonObject, Partial<Flow['run']>]>([
    [
      { full: true, keepOld: true },
      { full: true, keepOld: true },
    ],
    [
      { queue: true, evenPaused: true },
      { queue: true, evenPaused: true },
    ],
    [{ objects: ['Account'] }, { objects: ['Account'] }],
    [
      { from: '2024-01-01', to: '2024-01-01T02:00:00+01:00', again: true },
      { from: '2024-01-01T00:00:00.000Z', to: '2024-01-01T01:00:00.000Z', again: true },
    ],
  ])('%j', (run, parsed) => {
    expect(parseFlow({ ...smallest, run }).run).toMatchObject(parsed)
  })

  it('keeps old files of a flow that replaces', () => {
    const flow = { ...smallest, destination: { connection: 'lake', write: 'replace' }, run: { keepOld: true } }
    const full = { connection: 'crm', read: 'full', objects: ['Account'] }
    expect(parseFlow({ ...flow, source: full }).run.keepOld).toBe(true)
  })
})

describe('where', () => {
  it.each<JsonObject>([
    { A: { eq: 'Acme' } },
    { A: { ne: false } },
    { A: { gt: 1, lte: '12345678901234567890' } },
    { A: { in: ['a', 'b'] }, B: { in: [1, '2'] }, C: { in: [true] } },
    { A: { between: ['2024-01-01', '2024-02-01'] } },
    { A: { between: [1, 1] } },
    { A: { contains: ' ' }, 'Owner.Name': { isNull: false } },
  ])('%j', (where) => {
    expect(withObject({ where }).where).toEqual(where)
  })

  it('without a field is none', () => {
    expect(withObject({ where: {} }).where).toBeNull()
  })
})

describe('steps', () => {
  it.each<[JsonObject, JsonObject?]>([
    [{ keep: ['Id', 'Name'] }],
    [{ drop: ['Fax'] }],
    [{ rename: { A: 'a', B: 'A' } }],
    [{ cast: { A: 'int64', B: 'json' } }],
    [{ cast: { A: 'decimal( 18, 0)' } }, { cast: { A: 'decimal(18,0)' } }],
    [{ cast: { A: 'decimal(38,38)' } }],
    [{ set: { A: '', B: 0, C: false } }],
    [{ concat: { into: 'a', template: '{A}, {B} {{x}' } }],
    [
      { arithmetic: { into: 'a', add: ['A', 1, 'B'] } },
      { arithmetic: { into: 'a', operator: 'add', operands: ['A', 1, 'B'] } },
    ],
    [
      { arithmetic: { into: 'a', divide: [0, 'B'] } },
      { arithmetic: { into: 'a', operator: 'divide', operands: [0, 'B'] } },
    ],
    [{ truncate: { fields: ['A'], length: 1 } }],
    [
      { formatDate: { fields: ['A'], pattern: 'yyyy' } },
      { formatDate: { fields: ['A'], pattern: 'yyyy', timezone: 'UTC' } },
    ],
    [{ formatDate: { fields: ['A'], pattern: 'yyyy', timezone: 'Europe/Berlin' } }],
    [{ mapValues: { fields: ['A'], values: { '': 'none', 'N/A': null, x: 1 } } }],
    [{ mapValues: { fields: ['A'], values: { x: true }, otherwise: null } }],
    [{ hash: { fields: ['A'], key: 'pii' } }],
    [{ mask: { fields: ['A'] } }, { mask: { fields: ['A'], with: '*' } }],
    [{ mask: { fields: ['A'], keepFirst: 1, keepLast: 4, with: '😀' } }],
    [{ mask: { fields: ['A'], hideLast: 2 } }, { mask: { fields: ['A'], hideLast: 2, with: '*' } }],
    [
      { validate: { fields: ['A', 'B'], rule: 'numeric' } },
      { validate: { fields: ['A', 'B'], rule: 'numeric', onInvalid: 'quarantine' } },
    ],
  ])('%j', (step, parsed = step) => {
    expect(withObject({ transform: [step] }).transform).toEqual([parsed])
  })
})

describe('destination', () => {
  it.each<[JsonObject, Partial<Flow['destination']>]>([
    [{ prefix: 'salesforce/raw' }, { prefix: 'salesforce/raw' }],
    [{ prefix: '' }, { prefix: '' }],
    [
      { format: 'csv', fileSize: '1GB' },
      { format: 'csv', fileSizeBytes: 1024 ** 3 },
    ],
    [{ fileSize: '1MB' }, { fileSizeBytes: 1024 ** 2 }],
    [{ layout: 'appflow' }, { layout: 'appflow' }],
    [{ partitionBy: [] }, { partitionBy: [] }],
    [
      { partitionBy: ['runId', 'schemaVersion', 'day(run)', 'hour(CreatedDate)', 'Billing Country'] },
      {
        partitionBy: [
          { by: 'runId' },
          { by: 'schemaVersion' },
          { by: 'day', of: null },
          { by: 'hour', of: 'CreatedDate' },
          { by: 'field', field: 'Billing Country' },
        ],
      },
    ],
  ])('%j', (members, parsed) => {
    expect(withDestination(members)).toMatchObject(parsed)
  })

  it('replaces what is read in full', () => {
    const source = { connection: 'crm', read: 'full', objects: ['Account'] }
    expect(
      parseFlow({ ...smallest, source, destination: { connection: 'lake', write: 'replace' } }).destination.write,
    ).toBe('replace')
  })

  it('keeps folders apart that only begin alike', () => {
    const objects = [
      { object: 'A', into: 'x' },
      { object: 'B', into: 'xy' },
      { object: 'C', into: 'z/x' },
    ]
    expect(withSource({ objects }).source.objects.map(({ into }) => into)).toEqual(['x', 'xy', 'z/x'])
  })

  it('reads one object twice under two ids', () => {
    const objects = ['A', { object: 'A', id: 'a-full', into: 'a-full', read: 'full' }]
    expect(withSource({ objects }).source.objects.map(({ id }) => id)).toEqual(['A', 'a-full'])
  })

  it('takes an object whose name is no folder, with into', () => {
    expect(withObject({ object: 'a/b', into: 'a-b' })).toMatchObject({ object: 'a/b', id: 'a/b', into: 'a-b' })
  })
})

describe('values', () => {
  it.each([
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024-01-31T10:30', '2024-01-31T10:30:00.000Z'],
    ['2024-01-31T10:30:15', '2024-01-31T10:30:15.000Z'],
    ['2024-01-31T10:30:15.5Z', '2024-01-31T10:30:15.500Z'],
    ['2024-01-01T00:30:00+02:00', '2023-12-31T22:30:00.000Z'],
    ['2024-12-31T23:59:59-05:30', '2025-01-01T05:29:59.000Z'],
  ])('time %s', (written, instant) => {
    expect(readTime(written)).toEqual({ value: instant })
  })

  it.each(['2023-02-29', '2024-13-01', '2024-1-1', '2024-01-01Z', '20240101', '0000-01-01', '2024-01-01T10Z', ''])(
    'no time: %s',
    (written) => {
      expect(readTime(written)).toHaveProperty('refused')
    },
  )

  it.each(['* * * * *', '*/15 0-23/2 1,15 JAN-MAR,12 sun', '5/10 0 31 * 7', '0 0 29 2 *', '0 12 * * MON-WED,FRI'])(
    'cron %s',
    (expression) => {
      expect(cronProblem(expression)).toBeUndefined()
    },
  )

  it.each([
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '-1 * * * *',
    '1-0 * * * *',
    '? * * * *',
    '0 0 31 4,6 *',
    '0 0 L * *',
    '1,,2 * * * *',
  ])('no cron: %s', (expression) => {
    expect(cronProblem(expression)).toBeTypeOf('string')
  })

  it.each([
    ['{A}', [{ field: 'A' }]],
    ['{A}{B}', [{ field: 'A' }, { field: 'B' }]],
    ['a {A b} c', ['a ', { field: 'A b' }, ' c']],
    ['{{{A}}', ['{', { field: 'A' }, '}']],
    ['}', ['}']],
  ])('template %s', (template, parts) => {
    expect(readTemplate(template)).toEqual({ value: parts })
  })

  it('a partition by a field called like a unit', () => {
    expect(readPartition('day')).toEqual({ value: { by: 'field', field: 'day' } })
  })
})

describe('YAML', () => {
  it('says what the same JSON says', () => {
    const yaml = `# a comment
version: 1
name: orders
source:
  connection: crm
  startFrom: 2024-01-01
  objects:
    - object: Account
      where: { AnnualRevenue: { gte: 1000 } }
      transform: &clean
        - drop: [Fax]
    - { object: Contact, transform: *clean }
destination: { connection: lake }
`
    const json = {
      version: 1,
      name: 'orders',
      source: {
        connection: 'crm',
        startFrom: '2024-01-01',
        objects: [
          { object: 'Account', where: { AnnualRevenue: { gte: 1000 } }, transform: [{ drop: ['Fax'] }] },
          { object: 'Contact', transform: [{ drop: ['Fax'] }] },
        ],
      },
      destination: { connection: 'lake' },
    }
    const { value } = parseText(yaml, 'f.yaml')
    expect(JSON.stringify(value)).toBe(JSON.stringify(json))
    expect(parseFlow(value)).toEqual(parseFlow(json))
  })
})
