import { describe, expect, it } from 'vitest'
import type { Field } from '../../connectors/connector.ts'
import { conform } from '../../connectors/records/conform.ts'
import { OP_COLUMN } from '../../connectors/records/recipe.ts'
import { widest } from '../../connectors/records/widening.ts'
import { DriftError, atMost, differences, reconcile } from '../../connectors/records/drift.ts'
import { batchOf, textRows } from './tables.ts'

const field = (name: string, type: Field['type'] = 'string', more: Partial<Field> = {}): Field => ({
  name,
  type,
  nullable: true,
  ...more,
})
const same = (fields: Field[]): Field[] => fields
const before = (fields: Field[], sameRecipe = true) => ({ source: fields, output: fields, sameRecipe })

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

  it('evolve: widens, keeps the wider type, and refuses where no type holds both', () => {
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

  const TYPES: Field['type'][] = [
    'string',
    'boolean',
    'int32',
    'int64',
    'float64',
    'decimal(18,2)',
    'decimal(18,4)',
    'date',
    'time',
    'timestamp',
    'binary',
    'json',
  ]
  const changes = TYPES.flatMap((was) => TYPES.filter((is) => is !== was).map((is) => [was, is] as const))
  const outcome = (policy: 'evolve' | 'ignore' | 'fail', was: Field['type'], is: Field['type']): string => {
    try {
      return reconcile(policy, [field('N', is)], before([field('N', was)]), same).output[0]!.type
    } catch (error) {
      if (error instanceof DriftError) return error.type
      throw error
    }
  }

  it.each(changes)('a field that was %s and is %s: widened or refused, kept or refused, told and failed', (was, is) => {
    const held = widest(was, is)
    expect(outcome('evolve', was, is)).toBe(held ?? 'DriftRefused')
    expect(outcome('ignore', was, is)).toBe(held === was ? was : 'DriftRefused')
    expect(outcome('fail', was, is)).toBe('DriftFound')
  })

  it('evolve: a currency whose decimal places were moved goes on in a column that holds both', () => {
    const { output, drift } = reconcile(
      'evolve',
      [field('Price', 'decimal(18,4)')],
      before([field('Price', 'decimal(18,2)')]),
      same,
    )
    expect(output[0]?.type).toBe('decimal(20,4)')
    expect(drift).toEqual([
      'field Price was decimal(18,2) and is decimal(18,4)',
      'column Price widens from decimal(18,2) to decimal(20,4)',
    ])
  })

  it('whether a field may be null is no difference, and once it may, its column may for good', () => {
    const strict = [field('N', 'int32', { nullable: false })]
    const free = [field('N', 'int32')]
    expect(reconcile('fail', free, before(strict), same)).toMatchObject({ output: free, drift: [] })
    expect(reconcile('fail', strict, before(free), same)).toMatchObject({ output: free, drift: [] })
  })

  it('a renamed field is one that vanished and a new one', () => {
    const { output, drift } = reconcile(
      'evolve',
      [field('Id'), field('Title')],
      before([field('Id'), field('Name')]),
      same,
    )
    expect(output.map(({ name }) => name)).toEqual(['Id', 'Name', 'Title'])
    expect(drift).toEqual(['new field Title (string)', 'field Name has vanished'])
  })

  it('a name that changes its case alone goes on in its column', () => {
    const { source, output, drift } = reconcile('evolve', [field('NAME')], before([field('Name')]), same)
    expect(source.map(({ name }) => name)).toEqual(['NAME'])
    expect(output.map(({ name }) => name)).toEqual(['Name'])
    expect(drift).toEqual(['field Name is now spelled NAME'])
    expect(textRows(conform(batchOf(source, [{ NAME: 'x' }]), output))).toEqual([{ Name: 'x' }])
    const both = reconcile('evolve', [field('Name'), field('NAME')], before([field('Name')]), same)
    expect(both.output.map(({ name }) => name)).toEqual(['Name', 'NAME'])
  })

  it('a field that comes back with another type widens its column or is refused, as if it had never gone', () => {
    const gone = [field('N', 'int32', { gone: true })]
    expect(reconcile('evolve', [field('N', 'int64')], before(gone), same)).toMatchObject({
      output: [{ name: 'N', type: 'int64' }],
      drift: ['field N is back, as int64', 'column N widens from int32 to int64'],
    })
    expect(() => reconcile('evolve', [field('N')], before(gone), same)).toThrow(/N is int32 in earlier files/)
  })

  it('says all that cannot be, and what to do', () => {
    const was = [field('A', 'int64'), field('B', 'date')]
    expect(() => reconcile('evolve', [field('A'), field('B', 'timestamp')], before(was), same)).toThrow(
      /A is int64 .* string; B is date .* timestamp.*no type holds both.*Cast.*--full/,
    )
    expect(() => reconcile('ignore', [field('A', 'decimal(20,2)'), field('B', 'date')], before(was), same)).toThrow(
      /A is int64 .*onDrift: ignore keeps.*set onDrift: evolve/,
    )
    const many = Array.from({ length: 30 }, (_, at) => `field F${at}`)
    expect(atMost(many)).toHaveLength(21)
    expect(atMost(many).at(-1)).toBe('and 10 more')
  })

  it('a run that replaces all files may give a column any type, but the policies hold', () => {
    const was = { ...before([field('N', 'int64'), field('M')]), replaced: true }
    const now = [field('N'), field('X')]
    expect(reconcile('evolve', now, was, same).output.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'N string',
      'M string',
      'X string',
    ])
    expect(() => reconcile('fail', now, was, same)).toThrow(/have changed/)
    expect(() => reconcile('ignore', now, was, same)).toThrow(/N is int64/)
    expect(reconcile('ignore', [field('N', 'int32'), field('X')], was, same).output).toEqual(was.output)
  })

  it('a lane has the column of deletes in all files or in none', () => {
    const op = (fields: Field[]) => [...fields, field(OP_COLUMN)]
    expect(() => reconcile('evolve', old, before(old, false), op)).toThrow(/_lakeward_op: it is there always or never/)
    const had = { source: old, output: op(old), sameRecipe: false }
    expect(() => reconcile('evolve', old, had, same)).toThrow(/no longer gives column _lakeward_op/)
  })

  it('a changed flow may add columns, not take them away', () => {
    const drop = (fields: Field[]) => fields.filter((column) => column.name !== 'Name')
    expect(() => reconcile('evolve', old, before(old, false), drop)).toThrow(DriftError)
    const more = (fields: Field[]) => [...fields, field('Extra')]
    expect(reconcile('evolve', old, before(old, false), more).output.at(-1)?.name).toBe('Extra')
  })
})
