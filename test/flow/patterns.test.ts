/** Patterns of objects: what they take of what a source lists, and what they say of the rest. */
import { describe, expect, it } from 'vitest'
import type { ObjectInfo } from '../../connectors/connector.ts'
import { InputError } from '../../connectors/errors.ts'
import { parseFlow } from '../../connectors/flow.ts'
import { MOST_OBJECTS, expandPatterns, matches } from '../../connectors/flow-patterns.ts'

const flow = (...objects: (string | object)[]) => ({
  version: 1,
  name: 'sample',
  source: { connection: 'crm', objects },
  destination: { connection: 'lake' },
})
const listed: ObjectInfo[] = [
  { name: 'ContactRequest' },
  { name: 'Contact' },
  { name: 'ContactFeed', unreadable: 'it cannot be queried' },
  { name: 'Account' },
  { name: 'AccountContactRole' },
  { name: 'a/b' },
]
const expand = (objects: (string | object)[], list = listed) =>
  expandPatterns(parseFlow(flow(...objects)).source.objects, list)
const problemsOf = (document: object) => {
  try {
    parseFlow(document)
  } catch (error) {
    if (error instanceof InputError) return error.problems
    throw error
  }
  return []
}
const problem = (objects: (string | object)[], list = listed) => {
  try {
    expand(objects, list)
  } catch (error) {
    if (error instanceof InputError) return error.problems[0]
    throw error
  }
  return null
}

it.each([
  ['Contact*', 'Contact', true],
  ['Contact*', 'contact', false],
  ['*Role', 'AccountContactRole', true],
  ['A*C*', 'AccountContactRole', true],
  ['A*C', 'AccountContactRole', false],
  ['a.c*', 'abc', false],
  ['*', 'anything', true],
])('%s and %s: %s', (pattern, name, fits) => expect(matches(pattern, name)).toBe(fits))

describe('a pattern', () => {
  it('takes what fits, in order, under its own name, with what its mapping says', () => {
    const { objects, notes } = expand([{ object: 'Contact*', read: 'full', transform: [{ drop: ['Fax'] }] }])
    expect(objects).toMatchObject([
      { object: 'Contact', id: 'Contact', into: 'Contact', read: 'full', at: 0, pattern: 'Contact*' },
      { object: 'ContactRequest', id: 'ContactRequest', into: 'ContactRequest', transform: [{}] },
    ])
    expect(notes).toEqual([
      'Contact* takes 2 objects: Contact, ContactRequest; left out: ContactFeed (it cannot be queried).',
    ])
  })

  it('gives way to names, ids, folders, and the pattern before it', () => {
    const mine = [{ object: 'Contact', id: 'people', into: 'ContactRequest/x' }, 'Acc*', '*']
    const { objects, notes } = expand(mine)
    expect(objects.map(({ id }) => id)).toEqual(['people', 'Account', 'AccountContactRole'])
    expect(notes[1]).toContain('* takes 0 objects; left out: Account, AccountContactRole (taken by Acc*)')
    expect(notes[1]).toContain('Contact (named on its own)')
    expect(notes[1]).toContain('ContactRequest (the folder of people is in the way)')
    expect(notes[1]).toContain('a/b (the name does not fit as a folder')
  })

  it('that nothing fits says what would', () => {
    expect(problem(['Account', 'contact*'])).toMatchObject({
      where: 'source.objects[1]',
      what: 'no object matches contact*, but ContactRequest, Contact, ContactFeed would in other letters',
    })
    expect(problem(['Acount*'])?.what).toBe("no object matches Acount*, did you mean 'Account'?")
  })

  it('is refused where all it fits cannot be read, and where it takes too many', () => {
    expect(problem(['ContactF*'])?.what).toContain('ContactFeed (it cannot be queried)')
    const many = Array.from({ length: MOST_OBJECTS + 1 }, (_, at) => ({ name: `O${at}` }))
    expect(problem(['*'], many)?.what).toContain(`${MOST_OBJECTS + 1} objects`)
    const { notes, objects } = expand(['*'], many.slice(1))
    expect(objects).toHaveLength(MOST_OBJECTS)
    expect(notes[0]!.length).toBeLessThan(200)
  })

  it('has no name and no folder of its own, and no place in a layout without folders', () => {
    expect(problemsOf(flow({ object: 'Contact*', into: 'x', id: 'y' })).map(({ where }) => where)).toEqual([
      'source.objects[0].into',
      'source.objects[0].id',
    ])
    const appflow = { ...flow('Contact*'), destination: { connection: 'lake', layout: 'appflow' } }
    expect(problemsOf(appflow)[0]).toMatchObject({ where: 'destination.layout' })
  })
})
