import { describe, expect, it } from 'vitest'
import {
  filesPrefix,
  isOlder,
  joinKey,
  lane8,
  laneKeys,
  parseCommitName,
  segment,
  unitId,
} from '../../connectors/lake/keys.ts'
import { canonical } from '../../connectors/lake/canonical.ts'

const awkward = [
  '.',
  '..',
  '...',
  'a/b',
  'a%2Fb',
  'a b',
  'Ünïcödé',
  '日本',
  '\u{1F600}',
  'a\\b',
  'x:y',
  '_x',
  'x_',
  '.a',
  'a.',
]

describe('names as one segment', () => {
  it.each([
    ['Contact', 'Contact'],
    ['salesforce-daily.v2', 'salesforce-daily.v2'],
    ['My_Object__c', 'My_Object__c'],
    ['a/b', 'a%2Fb'],
    ['..', '%2E%2E'],
    ['_quarantine', '%5Fquarantine'],
    ['lake.json', 'lake%2Ejson'],
    ['Ü', '%C3%9C'],
  ])('%s is %s', (name, expected) => expect(segment(name)).toBe(expected))

  it('are plain text without slashes, short, and never shared', () => {
    const long = ['x'.repeat(500), `${'x'.repeat(499)}y`, 'ü'.repeat(100), `${'ü'.repeat(99)}ö`, '%'.repeat(80)]
    const names = [...awkward, ...long, 'x'.repeat(80), 'x'.repeat(120)]
    const segments = names.map(segment)
    expect(new Set(segments).size).toBe(names.length)
    for (const one of segments) expect(one).toMatch(/^[A-Za-z0-9%][A-Za-z0-9%_.~-]{0,119}$/)
    for (const one of segments) expect(one).not.toMatch(/^\.|\.$|%$|%[0-9A-F]$/)
  })

  it('an empty name is refused', () => expect(() => segment('')).toThrow(/empty name/))
})

describe('keys', () => {
  const lane = { namespaceId: 'n', flow: 'f', object: 'O' }

  it('number entries with eight digits', () => {
    const keys = laneKeys(lane)
    expect(keys.entry(7)).toBe('_lakeward/f/O/commits/00000007.json')
    expect(keys.outcome(99_999_999)).toBe('_lakeward/f/O/commits/99999999.outcome')
    for (const n of [0, -1, 1.5, 100_000_000, NaN]) expect(() => keys.entry(n)).toThrow(RangeError)
    expect(parseCommitName('00000007.json')).toEqual({ n: 7, part: 'entry' })
    expect(parseCommitName('00000007.outcome')).toEqual({ n: 7, part: 'outcome' })
    for (const other of ['7.json', '000000071.json', '00000007.json~', 'a.json', ''])
      expect(parseCommitName(other)).toBeNull()
  })

  it('stand in the order an open reads them', () => {
    const keys = laneKeys(lane)
    const inOrder = [
      keys.entry(1),
      keys.outcome(1),
      keys.entry(2),
      keys.hint,
      keys.plan('r'),
      keys.unit('r', 'a', '1-x'),
    ]
    expect(inOrder.toSorted()).toEqual(inOrder)
  })

  it('tell lanes apart by eight digits', () => {
    const others = [
      lane,
      { ...lane, namespaceId: 'm' },
      { ...lane, flow: 'fO', object: '' },
      { ...lane, flow: '', object: 'fO' },
      { ...lane, object: 'o' },
    ]
    expect(new Set(others.map(lane8)).size).toBe(others.length)
    expect(filesPrefix({ ...lane, namespace: 'x' }, 'r-1')).toMatch(/^[0-9a-f]{8}-r-1$/)
  })

  it('of units sort by their number', () => {
    const ids = [unitId(1), unitId(2), unitId(10), unitId(100_000)]
    expect(ids.toSorted()).toEqual(ids)
    expect(unitId(1)).not.toBe(unitId(1))
  })

  it('are joined without empty parts', () => {
    expect(joinKey('', '/a/', 'b/c', '', 'd')).toBe('a/b/c/d')
  })
})

describe('which run is older', () => {
  it.each([
    ['000000001-aaaaaaaa-0', '000000002-aaaaaaaa-0', true],
    ['000000002-aaaaaaaa-0', '000000001-bbbbbbbb-5', false],
    ['000000001-aaaaaaaa-2', '000000001-aaaaaaaa-10', true],
    ['000000001-aaaaaaaa-10', '000000001-aaaaaaaa-2', false],
    ['000000001-aaaaaaaa-0', '000000001-aaaaaaaa-0', false],
    ['000000001-aaaaaaaa-0', '000000001-bbbbbbbb-1', false],
    ['00000000z-aaaaaaaa-0', '000000010-aaaaaaaa-0', true],
  ])('%s before %s: %s', (a, b, expected) => expect(isOlder(a, b)).toBe(expected))
})

describe('canonical JSON', () => {
  it('has one spelling for one value', () => {
    expect(canonical({ b: 1, a: [{ d: undefined, c: null }] })).toBe('{"a":[{"c":null}],"b":1}')
    const odd = JSON.parse('{"__proto__":{"x":1},"2":1,"10":2}') as unknown
    expect(JSON.parse(canonical(odd))).toEqual(odd)
    expect(canonical(odd)).toBe(canonical(JSON.parse('{"10":2,"__proto__":{"x":1},"2":1}')))
  })
})
