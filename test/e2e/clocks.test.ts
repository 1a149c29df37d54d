/** Workers whose clocks are ten minutes off, alone and together: what is read is said by the source's clock. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithTemporal } from '../temporal.ts'
import { NO_WORK, SAME, entriesOf, repeated, sameRows, workOf } from './lane-files.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

const TEN_MINUTES = 600_000
const MODULE = fileURLToPath(new URL('shifted-clock.mjs', import.meta.url))

describeWithTemporal('clocks', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 300, opportunities: 1, pageRows: 100 } })
  })
  afterAll(() => stage.stop())

  const clockOf = (shiftMs: number) =>
    stage.startWorker({
      args: ['--task-queue', stage.queue],
      nodeArgs: ['--import', MODULE],
      env: { SHIFT_CLOCK_MS: String(shiftMs) },
    })
  const insert = (count: number, seconds: number) => {
    const stamp = new Date((Math.floor(Date.now() / 1000) + seconds) * 1000).toISOString()
    return stage.sandbox.control.insert({ object: 'Account', count, stamp }).ids
  }

  it('ten minutes ahead, behind, or both at once: the same rows', async () => {
    const flow = stage.flow(`
name: clocks
source: { settle: 60s, objects: [{ object: Account, into: accounts }] }
destination: { prefix: clocks }
`)
    const folder = 'clocks/accounts'
    // Settled for all, and not yet for anybody: a clock that is wrong takes one for the other.
    const future = new Set<string>()
    const change = () => {
      insert(20, -300)
      for (const id of insert(10, 300)) future.add(id)
    }
    const settled = () => [...stage.sandbox.control.truth('Account', { includeDeleted: true })].filter(isSettled)
    const isSettled = (row: Record<string, string | null>) => !future.has(String(row['Id']))

    change()
    const ahead = await clockOf(TEN_MINUTES)
    const first = await stage.run(flow)
    expect(first).toMatchObject({ read: 320 })
    expect(Math.abs(Date.parse(first.objects[0]!.watermark!) + 60_000 - Date.now())).toBeLessThan(30_000)
    expect(first.objects[0]?.proof).toMatch(/^proven/)
    expect(await sameRows(stage, folder, settled())).toEqual(SAME)

    const behind = await clockOf(-TEN_MINUTES)
    const between = insert(5, -61)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const both = await stage.run(flow)
    await ahead.kill()
    const last = await stage.run(flow)
    expect(both.read + last.read).toBe(between.length)
    expect(await sameRows(stage, folder, settled())).toEqual(SAME)
    expect(await repeated(stage, folder)).toEqual([])

    // Again from the beginning, on the clock behind alone.
    const whole = await stage.run({ ...flow, run: { full: true } })
    expect(whole.read).toBe(325)
    expect(await sameRows(stage, folder, settled())).toEqual(SAME)
    expect(workOf(stage, flow.name, 'Account')).toEqual(NO_WORK)
    const shifts = entriesOf(stage, flow.name, 'Account').map(({ writtenAt }) => Date.parse(writtenAt) - Date.now())
    expect(shifts.map((shift) => Math.round(shift / TEN_MINUTES))).toContain(1)
    expect(Math.round(shifts.at(-1)! / TEN_MINUTES)).toBe(-1)
    await behind.kill()
  })
})
