/** `kill -9` at random times, of two workers that share the work; and workers that are told to stop. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithTemporal } from '../temporal.ts'
import { parquetTypes } from './compare.ts'
import { addHits, noHits } from './kill-hits.ts'
import type { KillLane, KillStage } from './kill-lanes.ts'
import { UNIT_ROWS, openKillStage } from './kill-lanes.ts'
import { PAGE } from './kill-points.ts'
import { checkPromise, watchVisible } from './kill-promise.ts'
import { workOf } from './lane-files.ts'
import type { WorkerProcess } from './stage.ts'
import { pause, until } from './until.ts'

const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)
const KILLS = 10
/** They share the work, and each is killed and started over and over: at times none is there. */
const WORKERS = 2
/** Stamps are whole seconds, and a bound leaves out the second it is in. */
const SECOND = 1100
const LANES = ['a', 'b', 'c', 'd', 'e', 'f']

describeWithTemporal(`workers killed at random (KILL_SEED=${SEED})`, (temporal) => {
  let kills: KillStage
  let types: Record<string, string>
  const workers: WorkerProcess[] = []
  beforeAll(async () => {
    const small = { accounts: 100, pageMs: 0 }
    const flows = Object.fromEntries(LANES.map((name) => [name, { salesforce: { accounts: 100 } }]))
    kills = await openKillStage(
      temporal,
      { ...flows, drained: {}, types: { destination: { format: 'parquet' }, salesforce: small } },
      { accounts: 1200, pageMs: 200 },
    )
  })
  afterAll(() => kills.stop())

  it('SIGTERM: the page in hand is the last one, its unit counts, and no page is read again', async () => {
    const typed = kills.lanes.get('types')!
    const lane = kills.lanes.get('drained')!
    const first = await kills.startWorker()
    lane.expectChanges()
    lane.sandbox.control.fault({ match: PAGE, skip: 2, do: { delayMs: 1500 } })
    await Promise.all([lane.start(), typed.start()])
    await typed.result()
    types = await parquetTypes(join(kills.stage.lake, typed.folder))
    delete types['_lakeward_op']

    await until('the fourth page is asked for', () => lane.sandbox.control.pendingFaults() === 0)
    const told = Date.now()
    await first.kill('SIGTERM')
    expect(first.process.exitCode, first.output()).toBe(0)
    expect(Date.now() - told).toBeLessThan(40_000)
    await kills.stage.pull()
    const { units } = workOf(kills.stage, lane.flow.name, 'Account')
    expect(units.map((path) => JSON.parse(readFileSync(path, 'utf8')))).toMatchObject([
      { seq: 1, end: false, counts: { pages: 4, written: 400 } },
    ])

    workers.push(await kills.startWorker())
    expect(await lane.result()).toMatchObject({ read: 1200, written: 1200 })
    expect(lane.sandbox.control.served({ object: 'Account' })).toMatchObject({ rows: 1200, again: 0 })
    await checkPromise(lane, types)
  })

  it(`${KILLS} kills: nothing lost, nothing doubled, nothing visible too early`, async () => {
    const random = randomOf(SEED)
    const lanes = LANES.map((name) => kills.lanes.get(name)!)
    const watch = watchVisible(lanes)
    workers.push(await kills.startWorker())
    // A short run first, so that every connection has its token: who waits for one waits long, and strikes nothing.
    for (const lane of lanes) lane.expectChanges()
    await Promise.all(lanes.map((lane) => lane.start()))
    for (const lane of lanes) {
      expect(await lane.result()).toMatchObject({ read: 100 })
      lane.sandbox.control.insert({ object: 'Account', count: 1200 })
    }
    await pause(SECOND)

    const hits = new Map(lanes.map((lane) => [lane, noHits()]))
    const storm = { over: false }
    let [runs, rows] = [0, 0]

    const runOnAndOn = async (lane: KillLane): Promise<void> => {
      while (!storm.over) {
        lane.expectChanges()
        await lane.start()
        const { read, objects } = await lane.result()
        expect(objects).toMatchObject([{ status: 'done', proof: expect.stringMatching(/^proven/) }])
        await addHits(hits.get(lane)!, kills.stage.client, lane.laneId)
        runs++
        rows += read
        lane.change(400)
        await pause(SECOND)
      }
    }
    const killOnAndOn = async (_: WorkerProcess, at: number): Promise<void> => {
      for (let kill = 0; kill < KILLS / WORKERS; kill++) {
        await pause(50 + random() * 1450)
        await kills.kill(workers[at]!)
        workers[at] = await kills.startWorker()
      }
    }
    const running = Promise.all(
      lanes.map(async (lane) => {
        await pause(random() * 1000)
        await runOnAndOn(lane)
      }),
    )
    running.catch(() => {}) // seen below
    await Promise.all(workers.map(killOnAndOn))
    storm.over = true
    await running

    const { looks, early } = await watch.stop()
    expect(early).toEqual([])
    expect(looks).toBeGreaterThan(50)
    const struck: Record<string, number> = {}
    let again = 0
    const add = (step: string, count: number) => (struck[step] = (struck[step] ?? 0) + count)
    for (const lane of lanes) {
      await checkPromise(lane, types)
      const { silent, failures, workflowTasks } = hits.get(lane)!
      expect(failures).toEqual([])
      const served = lane.sandbox.control.served({ object: 'Account' })
      // Rows that changed are given out again by right: by the runs that brought them.
      const twice = served.rows - lane.expected.length
      expect(twice, lane.name).toBeLessThanOrEqual((silent['extractUnit'] ?? 0) * UNIT_ROWS)
      again += twice
      for (const [step, count] of Object.entries(silent)) add(step, count)
      add('workflow task', workflowTasks)
    }
    const steps = Object.entries(struck).map(([step, count]) => `${count} ${step}`)
    process.stdout.write(
      `KILL_SEED=${SEED}: ${KILLS} kills in ${runs} runs of ${rows} rows; ` +
        `in flight: ${steps.join(', ')}; ${again} rows read twice\n`,
    )
    expect(steps.length).toBeGreaterThan(0)
  }, 240_000)
})

/** mulberry32: numbers that a seed brings back. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
