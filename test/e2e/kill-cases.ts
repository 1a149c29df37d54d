/**
 * `kill -9` of the worker at each step of the protocol, once.
 *
 * A lane per step: each comes to its step and stays there, because its org, its disk or its bucket does not answer any
 * more; then the process that works on all of them is killed, and another one is started.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { TestTemporal } from '../global-setup.ts'
import { parquetTypes } from './compare.ts'
import type { Hang, KillStage } from './kill-lanes.ts'
import { openKillStage } from './kill-lanes.ts'
import { FIRST_RUN, LEFTOVERS, SECOND_RUN, halt, isHalted } from './kill-points.ts'
import type { KillPoint } from './kill-points.ts'
import { checkPromise, watchVisible } from './kill-promise.ts'
import type { LakeKind } from './lake-place.ts'
import type { WorkerProcess } from './stage.ts'
import { pause, until } from './until.ts'

const ACCOUNTS = 1200
const IDENTITY: Hang = { name: 'identity', call: 'link', path: '/_lakeward/lake.json', data: '/raw', done: 1 }
/** Lanes that are read whole before their second run is killed. */
const READ_BEFORE = ['hint', 'replaced-file-removed']
/** What is killed there leaves the run after it something to tidy, or nothing: both end alike. */
const LAST_STEPS = ['entry-written', 'outcome-written', 'first-unit-record-removed', 'plan-removed']
const CANCELLED = ['cancel-fence', 'cancel-sweep']

export function killCases(temporal: TestTemporal, lake: LakeKind): void {
  let kills: KillStage
  let worker: WorkerProcess
  let watch: ReturnType<typeof watchVisible>
  let types: Record<string, string>
  // Steps that ask the source alone are the same for every lake.
  const isWhole = lake === 'file' || process.env['LAKEWARD_THOROUGH'] === '1'
  const firstRun = Object.fromEntries(Object.entries(FIRST_RUN).filter(([, { at }]) => isWhole || !('request' in at)))
  const lastSteps = LAST_STEPS.filter((name) => name in firstRun)
  beforeAll(async () => {
    const names = new Set(['identity', ...Object.keys({ ...firstRun, ...SECOND_RUN })])
    const flows = Object.fromEntries([...names].map((name) => [name, {}]))
    kills = await openKillStage(
      temporal,
      {
        ...flows,
        identity: { destination: { format: 'parquet' } },
        'replaced-file-removed': { source: { read: 'full' }, destination: { write: 'replace' } },
      },
      { accounts: ACCOUNTS },
      lake,
    )
    watch = watchVisible([...kills.lanes.values()])
  })
  afterAll(() => kills.stop())

  const lane = (name: string) => kills.lanes.get(name)!
  const lanes = (names: Iterable<string>) => [...names].map(lane)
  const halts = (points: Record<string, KillPoint>) =>
    Object.entries(points).flatMap(([name, point]) => halt(point, lane(name)))

  /** Waits until every lane is at its step. */
  async function halted(points: Record<string, KillPoint>): Promise<void> {
    const entries = Object.entries(points)
    const onTheWay = () => entries.filter(([name, point]) => !isHalted(point, lane(name), worker.output()))
    await until('every lane is at its step', () => onTheWay().length === 0, { withinMs: 150_000 }).catch(
      async (cause: unknown) => {
        const where = await Promise.all(
          onTheWay().map(async ([name]) => `${name}: ${JSON.stringify(await lane(name).left())}`),
        )
        throw new Error(`not at their steps: ${where.join('; ')}\n${worker.output()}`, { cause })
      },
    )
  }

  /** Kills the worker when every lane is at its step, and looks at what it left: it struck where it was meant to. */
  async function killAt(points: Record<string, KillPoint>): Promise<void> {
    const entries = Object.entries(points)
    await halted(points)
    await kills.kill(worker)
    const left = await Promise.all(entries.map(async ([name]) => [name, await lane(name).left()] as const))
    expect(Object.fromEntries(left)).toMatchObject(
      Object.fromEntries(entries.map(([name, point]) => [name, point.left])),
    )
  }

  it('when the lake gets its identity', async () => {
    worker = await kills.startWorker([IDENTITY])
    lane('identity').expectChanges()
    await lane('identity').start()
    await until('the lake has an identity', () =>
      isHalted({ at: IDENTITY, left: {} }, lane('identity'), worker.output()),
    )
    await kills.kill(worker)
  })

  it('at each step of a first run', async () => {
    worker = await kills.startWorker([...halts(firstRun), ...halts(LEFTOVERS)])
    for (const one of lanes([...Object.keys(firstRun), 'hint', 'roll-forward'])) one.expectChanges()
    lane('replaced-file-removed').expectWhole()
    const { token, ...patient } = { ...firstRun, ...LEFTOVERS }
    await Promise.all(lanes([...Object.keys(patient), ...READ_BEFORE]).map((one) => one.start()))
    for (const one of lanes([...READ_BEFORE, 'identity']))
      expect((await one.result()).written).toBe(one.expected.length)
    // Who waits for a token does not wait for long.
    if (token) await halted(patient).then(() => lane('token').start())
    await killAt({ ...firstRun, ...LEFTOVERS })
    types = await parquetTypes(join(kills.stage.lake, lane('identity').folder))
    delete types['_lakeward_op']
  })

  it('at each step of what comes after it', async () => {
    const given = Object.keys(LEFTOVERS).filter((name) => !CANCELLED.includes(name))
    for (const one of lanes(given)) await one.giveUp()
    for (const one of lanes(CANCELLED)) await one.cancel()
    for (const one of lanes(Object.keys(SECOND_RUN))) {
      one.sandbox.control.reset()
      one.change(50)
    }
    await pause(1100) // stamps are whole seconds, and a bound leaves out the second it is in
    lane('replaced-file-removed').expectWhole()
    for (const one of lanes(['fence', 'sweep', 'roll-forward', 'hint'])) one.expectChanges()

    worker = await kills.startWorker(halts(SECOND_RUN))
    await Promise.all(lanes([...given, ...READ_BEFORE]).map((one) => one.start()))
    const again: Record<string, number> = {}
    for (const [name, point] of Object.entries(firstRun)) {
      expect(await lane(name).result(), name).toMatchObject({ read: ACCOUNTS, written: ACCOUNTS })
      again[name] = lane(name).sandbox.control.served({ object: 'Account' }).again
      expect(again[name], name).toBeLessThanOrEqual(point.again ?? 0)
    }
    await killAt(SECOND_RUN)

    worker = await kills.startWorker()
    for (const name of Object.keys(SECOND_RUN)) {
      if (CANCELLED.includes(name)) await expect(lane(name).result(), name).rejects.toThrow()
      else expect((await lane(name).result()).objects, name).toMatchObject([{ status: 'done' }])
      expect(lane(name).sandbox.control.served({ object: 'Account' }).again, name).toBe(0)
    }
    process.stdout.write(`rows read twice: ${JSON.stringify(again)}\n`)
  })

  it('and the next runs bring what changed since, and leave nothing staged', async () => {
    const next = lanes([...Object.keys(SECOND_RUN), ...lastSteps])
    for (const one of next) one.change(20)
    await pause(1100)
    for (const one of next) {
      if (one.name === 'replaced-file-removed') one.expectWhole()
      else one.expectChanges()
    }
    await Promise.all(next.map((one) => one.start()))
    for (const one of next) expect((await one.result()).objects, one.name).toMatchObject([{ status: 'done' }])
    const { looks, early } = await watch.stop()
    expect(looks).toBeGreaterThan(5)
    expect(early).toEqual([])
    for (const one of kills.lanes.values()) await checkPromise(one, types)
  })
}
