/** The calls of a day: what is left of them, and how long to wait for more. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Budget } from '../../connectors/budget.ts'
import type { DailyCalls, SharedTally } from '../../connectors/budget.ts'

const HOUR = 3_600_000
const MINUTE = 60_000
let now: number
let hours: Record<string, number>
beforeEach(() => {
  now = 1_000_000 * HOUR
  hours = {}
})

const tally: SharedTally = {
  async add(hour, calls) {
    hours = { ...hours, [hour]: (hours[hour] ?? 0) + calls }
    return hours
  },
}
const limits = [{ name: 'requests per day', daily: true as const }]
const budgetOf = (dailyCalls: DailyCalls | null): Budget =>
  new Budget({ connection: 'crm', connector: { name: 'sample', limits }, dailyCalls, tally, now: () => now })
const send = (budget: Budget, times: number): void => {
  for (let i = 0; i < times; i++) budget.sent()
}

it('without one, there is always something left', async () => {
  const budget = budgetOf(null)
  budget.told({ used: 100, max: 100 })
  expect(await budget.spent()).toBeNull()
  await budget.admit('read Account')
})

describe('a share of the limit of the vendor', () => {
  it('is used up when everybody together has used it', async () => {
    const budget = budgetOf({ share: 0.5 })
    expect(await budget.spent()).toBeNull()
    budget.told({ used: 499, max: 1000 })
    expect(await budget.spent()).toBeNull()
    budget.told({ used: 500, max: 1000 })
    expect(await budget.spent()).toEqual({
      reason: '500 of 1,000 requests per day are used; 50% stay for others',
      waitMs: 15 * MINUTE,
    })
  })

  it('is asked for anew by one, who tells the others', async () => {
    const budget = budgetOf({ share: 0.5 })
    budget.told({ used: 600, max: 1000 })
    now += 15 * MINUTE
    expect(await budget.spent()).toBeNull()
    expect(await budget.spent()).toMatchObject({ waitMs: MINUTE })
    budget.told({ used: 480, max: 1000 })
    expect(await budget.spent()).toBeNull()
  })

  it('says what a person can do, as a quota that is waited for', async () => {
    const budget = budgetOf({ share: 0.8 })
    budget.told({ used: 900, max: 1000 })
    await expect(budget.admit('read Account')).rejects.toMatchObject({
      kind: 'quota',
      waitMs: 15 * MINUTE,
      message: expect.stringMatching(/^\[sample\] read Account on crm failed: 900 of 1,000 .*20% stay/) as string,
      advice: expect.stringContaining('limits.dailyCalls of crm') as string,
    })
  })
})

describe('a number of calls', () => {
  it('is that of all workers, in any 24 hours', async () => {
    const [one, other] = [budgetOf({ calls: 100 }), budgetOf({ calls: 100 })]
    await one.spent()
    await other.spent()
    send(one, 60)
    expect(await one.spent()).toBeNull()
    send(other, 40)
    expect(await other.spent()).toMatchObject({ reason: '100 calls were made in 24 hours, and dailyCalls allows 100' })
    now += MINUTE
    expect(await one.spent()).not.toBeNull()
    now += 25 * HOUR
    expect(await one.spent()).toBeNull()
  })

  it('waits until enough of them are a day old, and looks again every hour', async () => {
    hours = { [1_000_000 - 24]: 70, [1_000_000 - 2]: 40 }
    now += 20 * MINUTE
    expect(await budgetOf({ calls: 100 }).spent()).toMatchObject({ waitMs: 40 * MINUTE })
    hours = { [1_000_000 - 2]: 110 }
    expect(await budgetOf({ calls: 100 }).spent()).toMatchObject({ waitMs: HOUR })
  })
})
