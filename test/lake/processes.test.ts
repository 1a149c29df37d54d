/** Real processes on a real directory: they race, and they are killed from outside at any moment. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { laneStatus } from '../../connectors/lake/readers.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { integerOf, stampOf } from './integers.ts'
import { LANE, LaneWorkflow } from './lane-workflow.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { laneAt } from './scenes.ts'

const KILLS = 32
/** Calls of the store that a process lives for; a run makes about a hundred. */
const MOST_CALLS = 300
const SOURCE = fileURLToPath(new URL('./lake-process.ts', import.meta.url))

let directory: string
let programs: string
const children = new Set<ChildProcess>()

// One file, made by the compiler that comes with tsx: forty processes start in a fifth of the time.
beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), 'lakeward-program-'))
  const options = { bundle: true, platform: 'node', format: 'esm', logLevel: 'error' } as const
  await build({ ...options, entryPoints: [SOURCE], outfile: join(programs, 'lake-process.mjs') })
})

afterAll(() => rm(programs, { recursive: true }))

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakeward-processes-'))
})

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

function start(mode: string, ...more: string[]): { child: ChildProcess; out: () => string } {
  const child = spawn(process.execPath, [join(programs, 'lake-process.mjs'), mode, directory, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let out = ''
  child.stdout?.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (out += data.toString()))
  return { child, out: () => out }
}

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode === null && child.signalCode === null
    ? new Promise((resolve) => child.once('exit', () => resolve()))
    : Promise.resolve()

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

it('of several processes that create the same keys each key has one winner, whom all read', async () => {
  const keys = 150
  const racers = ['a', 'b', 'c', 'd'].map((id) => ({ id, ...start('race', id, String(keys)) }))
  await Promise.all(racers.map(({ child }) => ended(child)))
  const wins = racers.map(({ id, out }) => ({ id, won: JSON.parse(out()) as number[] }))
  expect(wins.flatMap(({ won }) => won).toSorted((a, b) => a - b)).toEqual(Array.from({ length: keys }, (_, n) => n))
  for (const { id, won } of wins) {
    for (const n of won) expect(await readFile(join(directory, `race/${n}`), 'utf8')).toBe(`${id} `.repeat(300))
  }
})

it(`${KILLS} kills at any moment: nothing lost, nothing doubled, nothing void`, async () => {
  // Two processes fight for one lane; a third has a lane of its own in the same folder.
  const lanes = [LANE, { ...LANE, flow: 'other' }]
  const roles = [
    ['numbers', 'one'],
    ['numbers', 'two'],
    ['other', 'three'],
  ] as const
  let kills = 0
  let runs = 0
  const storm = roles.map(async ([flow, id]) => {
    while (kills < KILLS) {
      const { child, out } = start('run', flow, id)
      const calls = 1 + Math.random() * MOST_CALLS
      while (out().split('.').length <= calls && child.exitCode === null) await pause(2)
      expect(child.exitCode, out()).toBeNull()
      child.kill('SIGKILL')
      await ended(child)
      children.delete(child)
      kills += 1
      runs += out().split('ran').length - 1
    }
  })
  await Promise.all(storm)
  let entries = 0
  for (const lane of lanes) {
    const place = (): ObjectStore => fileStore(directory)
    const { highest, state } = await laneStatus(laneAt({ store: place } as Place, lane))
    entries += highest
    const clock = (state.watermark === null ? 0 : integerOf(state.watermark)) + 200
    // A plan that was left unfinished is finished first, under its old bound; the second run is free.
    for (const id of ['last', 'very last']) {
      const last = new LaneWorkflow({ place, work: { clock }, start: Date.now(), lane, id })
      await last.sync()
      await checkPromise(last.at(), { quiet: true })
    }
    expect((await laneStatus(laneAt({ store: place } as Place, lane))).state.watermark).toBe(stampOf(clock))
  }
  expect(entries).toBeGreaterThan(10)
  expect(runs).toBeGreaterThan(2)
}, 180_000)
