/**
 * The power fails at each call a run makes of a disk that keeps only what was synced. What an answer said is true after
 * it: no decision is taken back, no file is visible whose entry is gone, and the records are exact.
 */
import { writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { readLedger, readRecorded } from '../../connectors/lake/ledger.ts'
import { currentFiles } from '../../connectors/lake/readers.ts'
import type { LakeLane } from '../../connectors/lake/protocol.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import type { Work } from './integers.ts'
import { LANE, LaneWorkflow, Terminated } from './lane-workflow.ts'
import { checkPromise } from './promise.ts'
import { laneAt } from './scenes.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { every } from './thorough.ts'
import { Crash } from './troubled-store.ts'

const SEED = 20_261_123

/** Small, even and repeatable: mulberry32. */
function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Disk {
  journaled: boolean
  chance: (seed: number) => () => number
}

const disks: [string, Disk][] = [
  ['all that was not synced is lost', { journaled: true, chance: () => () => 0 }],
  ['some of it stays', { journaled: true, chance: random }],
  // Half a rename loses a file of a decided entry: then it is void, and the rows are read again.
  ['some of it stays, and renames are torn', { journaled: false, chance: random }],
]

interface Ends {
  /** The run before is killed at this call, and leaves the disk as it is: nobody has synced for it. */
  killed?: number
  /** The power fails at this call of the run. */
  cut?: number
}

/** Gives the number of calls the run made. */
async function play(work: Work, { killed, cut = Infinity }: Ends, { journaled, chance }: Disk): Promise<number> {
  const disk = new SimulatedDisk({ journaled })
  const place = (): ObjectStore => fileStore('/lake', { fs: disk })
  if (killed === undefined) await new LaneWorkflow({ place, work: { clock: 20, unitRows: 30 }, start: 1 }).sync()
  else await untilCall(disk, killed, new LaneWorkflow({ place, work, start: 1, mortal: true }))
  const said = new Map<number, string>()
  const running = new LaneWorkflow({ place, work, start: 2, mortal: true })
  running.process = Object.assign(running.process, hear(running.process, said))
  const made = await untilCall(disk, cut, running)
  if (made >= cut) disk.powerCut(chance(SEED + cut))
  const lane = laneAt({ store: place } as never, LANE)
  for (const [n, answer] of said) {
    const { entry, outcome } = await readRecorded(lane, n)
    expect([entry.kind, outcome?.outcome], `what was said of entry ${n}`).toContain(answer)
  }
  await checkVisible(lane)
  for (const start of [3, 4]) {
    const next = new LaneWorkflow({ place, work: { clock: 90, unitRows: 30 }, start })
    await next.sync()
    const { integers } = await checkPromise(next.at(place()), { voids: journaled ? 0 : 'any' })
    await checkVisible(lane)
    if (start === 4) expect(integers.length).toBe(85)
  }
  return made
}

/** Runs until the disk's `at`-th call from now; gives the number of calls that were made. */
async function untilCall(disk: SimulatedDisk, at: number, one: LaneWorkflow): Promise<number> {
  let calls = 0
  disk.meet = (_, __, when) => {
    if (when === 'before') calls += 1
    if (calls >= at) throw new Crash('no more')
  }
  await one.sync().catch((error: unknown) => {
    if (!(error instanceof Terminated)) throw error
  })
  disk.meet = () => {}
  return calls
}

/** What commits and outcomes were answered to the run. */
function hear(store: ObjectStore, said: Map<number, string>): Pick<ObjectStore, 'create'> {
  const create = store.create.bind(store)
  return {
    create: async (key, body) => {
      const answer = await create(key, body)
      const [, number, part] = /commits\/(\d{8})\.(json|outcome)$/.exec(key) ?? []
      const document = JSON.parse(Buffer.from(body).toString()) as { kind: string; outcome: string }
      if (number) said.set(Number(number), part === 'json' ? document.kind : document.outcome)
      return answer
    },
  }
}

/** Each visible file is in an entry that is there. */
async function checkVisible(lane: LakeLane): Promise<void> {
  const { highest } = await readLedger(lane)
  const committed = new Set<string>()
  for (let n = 1; n <= highest; n++) {
    const { entry } = await readRecorded(lane, n)
    if (entry.kind === 'commit') for (const { key } of entry.files) committed.add(key)
  }
  for await (const { key } of lane.store.list('data/')) expect(committed, 'visible and in no entry').toContain(key)
}

describe.each<[string, Work, number]>([
  ['an incremental run', { clock: 40, unitRows: 30, ranges: 1 }, 9],
  ['a run that replaces', { clock: 60, unitRows: 60, ranges: 1, ask: { full: true } }, 13],
  ['a run in steps', { clock: 40, unitRows: 5, ranges: 2, stepUnits: 2 }, 37],
])('a power cut in %s', (_, work, stride) => {
  it.each(disks)('where %s', async (__, disk) => {
    const calls = await play(work, {}, disk)
    expect(calls).toBeGreaterThan(150)
    for (let at = 1; at <= calls; at += every(stride)) {
      try {
        await play(work, { cut: at }, disk)
      } catch (error) {
        throw new Error(`cut at call ${at} of ${calls}, seed ${SEED + at}`, { cause: error })
      }
    }
  })
})

/** Every way in which what was not synced may be lost, one after the other; each gives a draw of what stays. */
function* losses(most: number): Generator<() => number> {
  const choices: number[] = []
  for (let made = 0; made < most; made++) {
    let asked = 0
    yield () => (choices[asked++] ??= 0) * 0.75
    choices.length = asked
    while (choices.at(-1) === 1) choices.pop()
    if (choices.length === 0) return
    choices[choices.length - 1] = 1
  }
}

describe.each<[string, Work, number]>([
  ['an incremental run', { clock: 40, unitRows: 30, ranges: 1 }, 30],
  ['a run that replaces', { clock: 60, unitRows: 60, ranges: 1, ask: { full: true } }, 60],
])('every legal loss of a power cut in %s', (_, work, stride) => {
  it('leaves a lane that keeps the promise', async () => {
    const calls = await play(work, {}, disks[0]![1])
    let states = 0
    for (let at = 1; at <= calls; at += every(stride)) {
      for (const chance of losses(every(2) === 1 ? 4096 : 8)) {
        states += 1
        try {
          await play(work, { cut: at }, { journaled: true, chance: () => chance })
        } catch (error) {
          throw new Error(`cut at call ${at} of ${calls}, state ${states}`, { cause: error })
        }
      }
    }
    if (every(2) === 1) writeSync(1, `${calls} calls, ${states} states after a cut\n`)
    expect(states).toBeGreaterThan(calls / every(stride))
  })
})

it('a power cut after a run that replaced: what was deleted does not come back', async () => {
  const disk = new SimulatedDisk()
  const place = (): ObjectStore => fileStore('/lake', { fs: disk })
  await new LaneWorkflow({ place, work: { clock: 20 }, start: 1 }).sync()
  const last = new LaneWorkflow({ place, work: { clock: 30, prefix: 'data/anew', ask: { full: true } }, start: 2 })
  await last.sync()
  disk.powerCut(() => 0)
  const due = (await currentFiles(last.at(place()))).map(({ key }) => key).toSorted()
  const seen: string[] = []
  for await (const { key } of place().list('data/')) seen.push(key)
  expect(seen).toEqual(due)
})

describe('a kill, and then a power cut while the next run mends what it left', () => {
  const work: Work = { clock: 40, unitRows: 30, ranges: 1 }

  /** The calls of a first run, in order. */
  async function callsOf(): Promise<string[]> {
    const disk = new SimulatedDisk()
    const calls: string[] = []
    disk.meet = (call, path, when) => void (when === 'before' && calls.push(`${call} ${path}`))
    await new LaneWorkflow({ place: () => fileStore('/lake', { fs: disk }), work, start: 1 }).sync()
    return calls
  }

  async function each(cuts: [killed: number, cut: number][], disk: Disk): Promise<void> {
    for (const [killed, cut] of cuts) {
      try {
        await play(work, { killed, cut }, disk)
      } catch (error) {
        throw new Error(`killed at call ${killed}, cut at call ${cut}`, { cause: error })
      }
    }
  }

  it.each(disks.slice(0, 2))('killed wherever it was about to sync names; where %s', async (_, disk) => {
    const calls = await callsOf()
    const pick = random(SEED)
    const syncs = calls.flatMap((call, at) => (call.startsWith('syncDirectory') ? [at + 1] : []))
    expect(syncs.length).toBeGreaterThan(30)
    const cuts = syncs.flatMap((killed) =>
      Array.from({ length: every(2) === 1 ? 10 : 2 }, (): [number, number] => [killed, 1 + Math.floor(pick() * 250)]),
    )
    await each(cuts, disk)
  })

  it.each(disks.slice(0, 2))('killed right after it committed; where %s', async (_, disk) => {
    const committed = (await callsOf()).findIndex((call) => /^link .*00000001\.json/.test(call)) + 2
    const cuts = Array.from({ length: 60 / every(2) }, (__, at): [number, number] => [committed, 1 + at * every(2)])
    await each(cuts, disk)
  })
})

describe('the simulated disk itself', () => {
  it('loses what was not synced, and would show a store that does not sync', async () => {
    const disk = new SimulatedDisk()
    const careless = { ...bound(disk), syncDirectory: async () => {} }
    const store = fileStore('/lake', { fs: careless })
    await store.create('a', Buffer.from('x'))
    disk.powerCut(() => 0)
    expect(await fileStore('/lake', { fs: disk }).get('a')).toBeNull()
    await fileStore('/lake', { fs: disk }).create('a', Buffer.from('x'))
    disk.powerCut(() => 0)
    expect(await fileStore('/lake', { fs: disk }).get('a')).toEqual(new Uint8Array(Buffer.from('x')))
  })
})

function bound(disk: SimulatedDisk) {
  return {
    createFile: disk.createFile.bind(disk),
    readFile: disk.readFile.bind(disk),
    stat: disk.stat.bind(disk),
    readDirectory: disk.readDirectory.bind(disk),
    makeDirectory: disk.makeDirectory.bind(disk),
    removeDirectory: disk.removeDirectory.bind(disk),
    link: disk.link.bind(disk),
    rename: disk.rename.bind(disk),
    unlink: disk.unlink.bind(disk),
  }
}
