import { expect, test } from 'vitest'
import { differences } from '../../client/differences.ts'
import { flowOf } from './stand-in/flows.ts'

const source = (...objects: (string | { [key: string]: string })[]) =>
  flowOf('f', { source: { connection: 'crm', objects } })

test.each([
  ['the same, in another order of keys', { a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, []],
  ['a value', { a: { b: 1 } }, { a: { b: '1' } }, [{ path: 'a.b', before: 1, after: '1' }]],
  ['a key more', { a: 1 }, { a: 1, b: null }, [{ path: 'b', after: null }]],
  ['a key less', { a: 1, b: [] }, { a: 1 }, [{ path: 'b', before: [] }]],
  ['a member of a list', { a: [{ x: 1 }, 2] }, { a: [{ x: 2 }, 2] }, [{ path: 'a[0].x', before: 1, after: 2 }]],
  ['a longer list', { a: ['x'] }, { a: ['x', 'y'] }, [{ path: 'a', before: ['x'], after: ['x', 'y'] }]],
  ['a map for a list', { a: [] }, { a: {} }, [{ path: 'a', before: [], after: {} }]],
])('%s', (_, before, after, found) => {
  expect(differences(before, after)).toEqual(found)
})

test('objects of a flow are told apart by their ids, wherever they stand', () => {
  const before = source('Account', { object: 'Contact', id: 'People' }, 'Lead')
  const after = source({ object: 'Task' }, { object: 'Account', into: 'accounts' }, { object: 'Contact', id: 'People' })
  expect(differences(before, after)).toEqual([
    { path: 'source.objects[Account].into', after: 'accounts' },
    { path: 'source.objects[Lead]', before: { object: 'Lead' } },
    { path: 'source.objects[Task]', after: { object: 'Task' } },
  ])
})

test('another order of objects, and another way to write one, are told: they are stored as written', () => {
  const [one, two] = [{ object: 'A', into: 'a' }, { object: 'B' }]
  expect(differences(source(one, two), source(two, one))).toEqual([
    { path: 'source.objects', before: [one, two], after: [two, one] },
  ])
  expect(differences(source(one, 'B'), source(one, two))).toMatchObject([{ path: 'source.objects' }])
  expect(differences(source('constructor', one), source('__proto__', one))).not.toEqual([])
})
