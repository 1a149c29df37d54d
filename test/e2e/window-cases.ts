/** What a run reads: windows beside ordinary runs, whole reads that replace, and an org that is another one. */
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import type { TruthRow } from './compare.ts'
import { queryFiles } from './compare.ts'
import { NO_WORK, SAME, dataFiles, entriesOf, sameRows, workOf } from './lane-files.ts'
import { failureOf } from './run-failure.ts'
import type { Stage } from './stage.ts'
import { pause, until } from './until.ts'

const FIRST_ORG = '00D5g000004XyZaEAK'
const OTHER_ORG = '00D5g000009QqQqEAK'

export function windowCases(opened: () => Stage): void {
  let stage: Stage
  beforeAll(() => void (stage = opened()))

  const truth = (from: string, to = '9999') =>
    [...stage.sandbox.control.truth('Account', { includeDeleted: true })].filter((row) => isIn(row, from, to))
  const stampNow = () => new Date(Math.floor(stage.sandbox.control.now() / 1000) * 1000).toISOString()

  it('--from/--to and ordinary runs lose and double nothing; --full has all that was delivered', async () => {
    const { control } = stage.sandbox
    const flow = stage.flow(`
name: backfilled
source: { settle: 0s, startFrom: 2025-01-01, objects: [{ object: Account, into: accounts }] }
destination: { prefix: backfilled }
`)
    const run = (options: object) => stage.run({ ...flow, run: options })
    const folder = 'backfilled/accounts'

    const before = await run({ from: '2024-01-01', to: '2025-01-01' })
    expect(before).toMatchObject({ read: truth('2024', '2025').length, objects: [{ watermark: null }] })
    const first = await stage.run(flow)
    expect(first.read).toBe(truth('2025').length)
    const watermark = first.objects[0]!.watermark!
    const earlier = await run({ from: '2023-06-01', to: '2024-01-01' })
    expect(earlier).toMatchObject({ read: truth('2023-06', '2024').length, objects: [{ watermark }] })
    expect(before.read * first.read * earlier.read).toBeGreaterThan(0)
    expect(await sameRows(stage, folder, truth('2023-06'))).toEqual(SAME)

    for (const [options, why] of [
      [{ from: '2023-12-01', to: '2024-02-01' }, 'delivered already'],
      [{ from: '2025-06-01', to: '2025-07-01' }, 'delivered already'],
      [{ from: '2023-01-01', to: '2099-01-01' }, 'later than'],
    ] as const) {
      const refused = await failureOf(run(options))
      expect(`${refused.type} ${refused.message}`).toMatch(/FlowInvalid/)
      expect(refused.message).toContain(why)
    }
    expect(await sameRows(stage, folder, truth('2023-06'))).toEqual(SAME)

    const changed = control.ids({ object: 'Account', limit: 20, deleted: false })
    const stamp = stampNow()
    const stale = truth('2023-06').filter((row) => changed.includes(String(row['Id'])))
    control.update({ object: 'Account', ids: changed, values: { Name: 'changed' }, stamp })
    await pause(1100)
    const next = await stage.run(flow)
    expect(next).toMatchObject({ read: 20, objects: [{ from: watermark }] })
    expect(await sameRows(stage, folder, [...truth('2023-06'), ...stale])).toEqual(SAME)

    const again = await run({ from: '2024-03-01', to: '2024-04-01', again: true })
    expect(again.read).toBe(truth('2024-03', '2024-04').length)
    expect(await sameRows(stage, folder, [...truth('2023-06'), ...stale, ...truth('2024-03', '2024-04')])).toEqual(SAME)

    const files = dataFiles(stage, folder)
    const whole = await run({ full: true })
    expect(whole.read).toBe(truth('2023-06').length)
    expect(await sameRows(stage, folder, truth('2023-06'))).toEqual(SAME)
    expect(dataFiles(stage, folder).filter((file) => files.includes(file))).toEqual([])
    expect(await stage.run(flow)).toMatchObject({ read: 0, objects: [{ status: 'nothing' }] })
    expect(workOf(stage, flow.name, 'Account')).toEqual(NO_WORK)
  })

  it('write: replace has the source as it is, and nothing where the source has nothing', async () => {
    const { control } = stage.sandbox
    const snapshot = (where = '') =>
      stage.flow(`
name: snapshot
source: { read: full, settle: 0s, objects: [{ object: Opportunity, into: deals${where} }] }
destination: { prefix: snapshot, write: replace }
`)
    const folder = 'snapshot/deals'
    const deals = () => control.truth('Opportunity')
    const { name } = snapshot()
    await stage.run(snapshot())
    expect(await sameRows(stage, folder, deals())).toEqual(SAME)
    const old = dataFiles(stage, folder)

    const ids = control.ids({ object: 'Opportunity', limit: 30, deleted: false })
    control.update({ object: 'Opportunity', ids: ids.slice(0, 10), values: { Name: 'changed' } })
    control.delete({ object: 'Opportunity', ids: ids.slice(10, 20) })
    control.insert({ object: 'Opportunity', count: 5 })
    await pause(1100)
    await stage.run(snapshot())
    expect(await sameRows(stage, folder, deals())).toEqual(SAME)
    const [found] = await queryFiles(join(stage.lake, folder), `SELECT count(*) AS n FROM files WHERE Name = 'changed'`)
    expect(Number(found?.['n'])).toBe(10)
    expect(dataFiles(stage, folder).filter((file) => old.includes(file))).toEqual([])

    const nobody = await stage.run(snapshot(", where: { Name: { eq: 'nobody is called so' } }"))
    expect(nobody).toMatchObject({ read: 0, written: 0, objects: [{ status: 'done', entry: 3 }] })
    expect(dataFiles(stage, folder)).toEqual([])
    const entry = entriesOf(stage, name, 'Opportunity').at(-1)
    expect(entry).toMatchObject({ n: 3, generation: 3, files: [], outcome: { outcome: 'done', manifest: [] } })

    await stage.run(snapshot())
    expect(await sameRows(stage, folder, deals())).toEqual(SAME)
  })

  it.each([
    ['before a run', false],
    ['in the middle of a run', true],
  ])('a connection that reaches another org %s is LaneMoved, and --full begins again from it', async (when, middle) => {
    const { control } = stage.sandbox
    const flow = stage.flow(`
name: moved-${middle}
source: { settle: 0s, objects: [{ object: Account, into: accounts }] }
destination: { prefix: moved-${middle} }
`)
    const folder = `moved-${middle}/accounts`
    await stage.run(flow)
    const { ids } = control.insert({ object: 'Account', count: 150 })
    await pause(1100)
    const turn = () => {
      control.setOrg({ orgId: OTHER_ORG })
      control.expireTokens()
    }
    let run: Promise<unknown>
    if (middle) {
      control.fault({ match: '^GET /services/data/[^/]+/query(All)?/0r8', do: { stall: true } })
      run = stage.run(flow)
      await until('the run is in its second page', () => control.pendingFaults() === 0)
      turn()
      control.clearFaults()
    } else {
      turn()
      run = stage.run(flow)
    }
    const moved = await failureOf(run)
    expect(moved.objects[0]?.error?.type).toBe('LaneMoved')
    for (const word of [FIRST_ORG, OTHER_ORG, 'source.connection', '--full']) expect(moved.message).toContain(word)
    expect(workOf(stage, flow.name, 'Account')).toEqual(NO_WORK)
    const old = new Set(ids)
    expect(
      await sameRows(
        stage,
        folder,
        truth('0').filter((row) => !old.has(String(row['Id']))),
      ),
    ).toEqual(SAME)

    await stage.run({ ...flow, run: { full: true } })
    expect(await sameRows(stage, folder, truth('0'))).toEqual(SAME)

    // Turned back while nobody reads: a whole read accepts that in one go, too.
    control.setOrg({ orgId: FIRST_ORG })
    control.expireTokens()
    await stage.run({ ...flow, run: { full: true } })
    expect(await sameRows(stage, folder, truth('0')), when).toEqual(SAME)
  })
}

function isIn(row: TruthRow, from: string, to: string): boolean {
  const stamp = String(row['SystemModstamp'])
  return stamp >= from && stamp < to
}
