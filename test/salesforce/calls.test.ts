/** How many requests it takes to find that nothing changed, and to plan what did. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import { connect, readAll, source } from './org.ts'
import type { Org } from './org.ts'

const HOUR = 3_600_000
let sandbox: Sandbox
let org: Org
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 50, opportunities: 1, contacts: 1 })
  org = connect(sandbox.url)
  await org.ask('Account')
})
afterAll(async () => {
  await org.close()
  await sandbox.stop()
})
beforeEach(() => void sandbox.control.reset())

const from = () => new Date(Math.floor(Date.now() / 1000) * 1000 - HOUR).toISOString()
const incremental = async () =>
  source.plan(org.session, await org.ask('Account', { from: from(), settleMs: 600_000, mode: 'incremental' }))
const insert = (agoMs: number) =>
  sandbox.control.insert({ object: 'Account', count: 3, stamp: new Date(Date.now() - agoMs).toISOString() })

it('nothing new and nothing held back: one, and none to read it', async () => {
  const plan = await incremental()
  expect(plan).toMatchObject({ counted: 0, heldBack: 0 })
  expect((await readAll(org.session, plan)).records).toEqual([])
  expect(sandbox.control.counts()).toEqual({ queryAll: 1 })
})

it('what is held back, and what is new, is told apart by one more', async () => {
  insert(60_000)
  expect(await incremental()).toMatchObject({ counted: 0, heldBack: 3 })
  insert(1_200_000)
  expect(await incremental()).toMatchObject({ counted: 3, heldBack: 3 })
  expect(sandbox.control.counts()).toEqual({ queryAll: 4 })
})
