/** The list of protections fits the code, and a few of them are missed at once; `npm run faults:without` tries all. */
import { afterAll, describe, expect, it } from 'vitest'
import { copyProject, edited, seenBy } from './edited-project.ts'
import { beyond } from './protections-beyond.ts'
import { protections } from './protections.ts'

const all = [...protections, ...beyond]

it.each(all)('can be taken out: $without', (protection) => {
  expect(edited(protection)).not.toContain(`${protection.find}\0`)
})

it('have names of their own', () => {
  expect(new Set(all.map(({ without }) => without)).size).toBe(all.length)
})

describe('is missed', () => {
  const project = copyProject()
  afterAll(() => project.remove())
  const quick = all.filter(({ without }) =>
    ['entry before completion', 'repeating only what'].some((words) => without.startsWith(words)),
  )

  it.each(quick)('$without', async (protection) => {
    const { failed } = await project.run(seenBy(protection), protection, { LAKEWARD_INTERLEAVINGS: '3000' })
    expect(failed).toBeGreaterThan(0)
  })

  it('nothing where nothing is taken out', async () => {
    const by = { test: 'test/faults/simulation/simulation.test.ts', name: 'the same way again' }
    expect(await project.run(by)).toMatchObject({ passed: 1, failed: 0 })
  })
})
