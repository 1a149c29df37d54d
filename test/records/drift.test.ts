import { describe, expect, it } from 'vitest'
import type { Field } from '../../connectors/connector.ts'
import { DriftError, differences, reconcile, widens } from '../../connectors/records/drift.ts'

const field = (name: string, type: Field['type'] = 'string', more: Partial<Field> = {}): Field => ({
  name,
  type,
  nullable: true,
  ...more,
})
const same = (fields: Field[]): Field[] => fields
const before = (fields: Field[], sameRecipe = true) => ({ source: fields, output: fields, sameRecipe })

describe('widens', () => {
  it.each([
    ['int32', 'int64', true],
    ['int64', 'int32', false],
    ['int32', 'float64', true],
    ['int64', 'float64', false],
    ['int32', 'decimal(18,2)', true],
    ['int64', 'decimal(18,0)', false],
    ['int64', 'decimal(19,0)', true],
    ['decimal(18,2)', 'decimal(20,4)', true],
    ['decimal(18,2)', 'decimal(18,4)', false],
    ['decimal(9,0)', 'int32', true],
    ['string', 'json', false],
    ['date', 'timestamp', false],
  ] as const)('%s to %s: %s', (from, to, answer) => expect(widens(from, to)).toBe(answer))
})

describe('reconcile', () => {
  const old = [field('Id'), field('Name'), field('Size', 'int32')]

  it('takes the schema as it is on a first run', () => {
    expect(reconcile('evolve', old, null, same)).toEqual({ source: old, output: old, drift: [] })
  })

  it('evolve: a new field is a new last column, a vanished one stays as nulls', () => {
    const now = [field('New', 'boolean'), field('Id'), field('Size', 'int32')]
    const { source, output, drift } = reconcile('evolve', now, before(old), same)
    expect(output.map((column) => column.name)).toEqual(['Id', 'Name', 'Size', 'New'])
    expect(source[1]).toMatchObject({ name: 'Name', gone: true, nullable: true })
    expect(drift).toEqual(['new field New (boolean)', 'field Name has vanished'])
  })

  it('evolve: tells a vanished field once, and its return', () => {
    const first = reconcile('evolve', [field('Id')], before([field('Id'), field('Name')]), same)
    const again = reconcile('evolve', [field('Id')], before(first.source), same)
    expect(again.drift).toEqual([])
    expect(differences(first.source, [field('Id'), field('Name')])).toEqual(['field Name is back'])
  })

  it('evolve: widens, keeps the wider type, and refuses what cannot hold both', () => {
    const wide = reconcile('evolve', [field('N', 'int64')], before([field('N', 'int32')]), same)
    expect(wide.output[0]?.type).toBe('int64')
    const narrow = reconcile('evolve', [field('N', 'int32')], before([field('N', 'int64')]), same)
    expect(narrow.output[0]?.type).toBe('int64')
    expect(() => reconcile('evolve', [field('N', 'string')], before([field('N', 'int64')]), same)).toThrow(
      /N is int64 in earlier files and would be string.*--full/,
    )
  })

  it('ignore: the output stays; new fields are not even read', () => {
    const { source, output } = reconcile('ignore', [field('Id'), field('New')], before(old), same)
    expect(output).toEqual(old)
    expect(source.map((column) => column.name)).toEqual(['Id', 'Name', 'Size'])
  })

  it('fail: says what differs', () => {
    expect(() => reconcile('fail', [field('Id')], before(old), same)).toThrow(/Name has vanished.*onDrift/)
    expect(reconcile('fail', old, before(old), same).drift).toEqual([])
  })

  it('a changed flow may add columns, not take them away', () => {
    const drop = (fields: Field[]) => fields.filter((column) => column.name !== 'Name')
    expect(() => reconcile('evolve', old, before(old, false), drop)).toThrow(DriftError)
    const more = (fields: Field[]) => [...fields, field('Extra')]
    expect(reconcile('evolve', old, before(old, false), more).output.at(-1)?.name).toBe('Extra')
  })
})
