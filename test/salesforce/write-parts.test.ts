/** The pure parts of writing: values, order, what answers mean. */
import { describe, expect, it } from 'vitest'
import type { FieldType } from '../../connectors/connector.ts'
import type { Outcome, TargetField } from '../../connectors/record-sink.ts'
import { csvCells, csvLine, csvRecords, jsonRecord } from '../../connectors/salesforce/write/cells.ts'
import { rounds, streams, unblocked } from '../../connectors/salesforce/write/order.ts'
import { outcomeOf, saveError } from '../../connectors/salesforce/write/outcome.ts'
import { matchResults } from '../../connectors/salesforce/write/results.ts'

const field = (name: string, type: FieldType, more: Partial<TargetField> = {}): TargetField => ({
  ...{ name, type, nullable: true, create: true, update: true, required: false, key: false },
  ...more,
})

describe('values', () => {
  it.each([
    ['string', 'a "b"', '"a \\"b\\""', 'a "b"'],
    ['string', '', 'null', '#N/A'],
    ['string', null, 'null', '#N/A'],
    ['decimal(18,2)', '1234567890123456.78', '1234567890123456.78', '1234567890123456.78'],
    ['decimal(18,0)', 900_719_925_474_099_312n, '900719925474099312', '900719925474099312'],
    ['float64', 1e21, '1e+21', '1e+21'],
    ['int32', -5, '-5', '-5'],
    ['date', '2024-02-29', '"2024-02-29"', '2024-02-29'],
    ['timestamp', '2024-02-29T23:59:59.123456Z', '"2024-02-29T23:59:59.123Z"', '2024-02-29T23:59:59.123Z'],
    ['time', '10:15:00.000001', '"10:15:00.000"', '10:15:00.000'],
    ['boolean', false, 'false', 'false'],
  ] as const)('%s %s is %s in a call and %s in a file', (type, value, json, cell) => {
    const fields = [field('F', type)]
    const target = { object: 'O', fields }
    expect(jsonRecord(target, fields, { F: value }, 'clear')).toBe(`{"attributes":{"type":"O"},"F":${json}}`)
    expect(csvCells(fields, { F: value }, 'clear')).toEqual([cell])
  })

  it('are left alone where there are none, if the flow says so; a checkbox in any case', () => {
    const fields = [field('F', 'string'), field('B', 'boolean')]
    const target = { object: 'O', fields }
    expect(jsonRecord(target, fields, { F: null, B: null }, 'keep')).toBe('{"attributes":{"type":"O"}}')
    expect(csvCells(fields, { F: null, B: null }, 'keep')).toEqual(['', ''])
    expect(csvCells(fields, { F: null, B: null }, 'clear')).toEqual(['#N/A', ''])
  })

  it('name a parent by its key, and take it away by its own field', () => {
    const fields = [field('A__r.K__c', 'string', { of: 'A__c', spec: { relation: 'A__r', key: 'K__c' } })]
    const target = { object: 'O', fields }
    const of = (value: string | null) => jsonRecord(target, fields, { 'A__r.K__c': value }, 'clear')
    expect(of('k')).toBe('{"attributes":{"type":"O"},"A__r":{"K__c":"k"}}')
    expect(of(null)).toBe('{"attributes":{"type":"O"},"A__c":null}')
  })

  it('of another kind are refused by the name of their field, not by what they are', () => {
    expect(() => csvCells([field('F', 'int32')], { F: 'secret' }, 'clear')).toThrow('F: it is not a number')
  })

  it('survive a file and back', () => {
    const rows = [['a,b', 'say "x"', ''], ['line\nbreak', '\r\n', 'é'], ['']]
    expect([...csvRecords(rows.map(csvLine).join(''))]).toEqual(rows)
    expect([...csvRecords('a,b\r\n"c",')]).toEqual([
      ['a', 'b'],
      ['c', ''],
    ])
    expect(() => [...csvRecords('"open')]).toThrow('no end')
  })
})

describe('order', () => {
  it('sends a key once a round, its states one after the other', () => {
    const keys = ['a', 'b', 'a', null, 'a', null]
    expect(rounds([0, 1, 2, 3, 4, 5], (row) => keys[row]!)).toEqual([[0, 1, 3, 5], [2], [4]])
  })

  it('keeps the children of a parent in one stream and side by side', () => {
    const parents = ['p', 'q', '', 'p', 'q', 'p', '', 'r']
    const made = streams([0, 1, 2, 3, 4, 5, 6, 7], (row) => parents[row]!, 2)
    expect(made).toEqual([
      [0, 3, 5, 2],
      [1, 4, 7, 6],
    ])
    expect(new Set(made.flat())).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]))
  })

  it('holds back what follows a state that goes again', () => {
    const outcomes = new Map<number, Outcome>([
      [0, { ok: false, reason: 'lock', again: true }],
      [1, { ok: false, reason: 'bad', again: false }],
    ])
    expect(unblocked([2, 3], outcomes, (row) => ['a', 'b', 'a', 'b'][row]!)).toEqual([3])
    expect(outcomes.get(2)).toMatchObject({ ok: false, again: true })
  })
})

describe('answers', () => {
  it.each([
    ['UNABLE_TO_LOCK_ROW', 'x', true],
    ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'T: caused by: UNABLE_TO_LOCK_ROW, unable to obtain', true],
    ['SERVER_UNAVAILABLE', '', true],
    ['REQUIRED_FIELD_MISSING', 'Required fields are missing: [Name]', false],
    ['DUPLICATE_VALUE', 'x', false],
  ])('%s %s: again %s', (statusCode, message, again) => {
    expect(outcomeOf({ success: false, errors: [{ statusCode, message }] }, 'upsert', null)).toMatchObject({ again })
  })

  it('take a record that is deleted already for deleted, and only where it was to be', () => {
    const gone = { success: false, errors: [{ statusCode: 'ENTITY_IS_DELETED', message: 'entity is deleted' }] }
    expect(outcomeOf(gone, 'delete', '001')).toEqual({ ok: true, id: '001' })
    expect(outcomeOf(gone, 'update', '001')).toMatchObject({ ok: false, again: false })
  })

  it('read the error of a job as that of a call', () => {
    expect(saveError('REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --')).toEqual({
      statusCode: 'REQUIRED_FIELD_MISSING',
      message: 'Required fields are missing: [Name]',
      fields: ['Name'],
    })
    expect(saveError('INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--')).toMatchObject({ fields: [] })
    expect(saveError('something else')).toEqual({ statusCode: 'UNKNOWN', message: 'something else' })
  })

  const files = { successful: 'I,C,K\n1,true,b\n', failed: 'I,E,K\n,DUPLICATE_VALUE:x:K --,a\n', unprocessed: 'K\nc\n' }
  it('find their rows by the key, in any order', () => {
    const cells = [['a'], ['b'], ['c'], ['d']]
    const told = matchResults({ write: 'upsert', key: 0, cells, ...files, aborted: false })
    expect(told.map((one) => (one.ok ? one.id : one.again))).toEqual([false, '1', true, true])
  })

  it('find new rows by all they hold; of one that no result names, nobody knows, so it is not sent again', () => {
    const cells = [['b'], ['x'], ['b']]
    const successful = 'I,C,N\n1,true,b\n2,true,b\n'
    const results = { write: 'append', key: -1, cells, successful, failed: '', unprocessed: '' } as const
    const told = matchResults({ ...results, aborted: false })
    expect(told.map((one) => (one.ok ? one.id : one.again))).toEqual(['1', false, '2'])
    expect(matchResults({ ...results, aborted: true })[1]).toMatchObject({ ok: false, again: true })
  })
})
