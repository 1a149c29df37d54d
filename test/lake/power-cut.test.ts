/**
 * The power fails at each call a run makes of a disk that keeps only what was synced. What an answer said is true after
 * it: no decision is taken back, no file is visible whose entry is gone, and the records are exact.
 */
import { describe, expect, it } from 'vitest'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { readLedger, readRecorded } from '../../connectors/lake/ledger.ts'
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

/** The cut comes at the `at`-th call; Infinity: never. Gives the number of calls the run made. */
async function play(work: Work, at: number, { journaled, chance }: Disk): Promise<number> {
  const disk = new SimulatedDisk({ journaled })
  const place = (): ObjectStore => fileStore('/lake', { fs: disk })
  await new LaneWorkflow({ place, work: { clock: 20, unitRows: 30 }, start: 1 }).sync()
  let calls = 0
  disk.meet = (_, __, when) => {
    if (when === 'before') calls += 1
    if (calls >= at) throw new Crash('power cut')
  }
  const said = new Map<number, string>()
  const running = new LaneWorkflow({ place, work, start: 2, mortal: true })
  running.process = Object.assign(running.process, hear(running.process, said))
  await running.sync().catch((error: unknown) => {
    if (!(error instanceof Terminated)) throw error
  })
  const made = calls
  disk.meet = () => {}
  if (made >= at) disk.powerCut(chance(SEED + at))
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
    const calls = await play(work, Infinity, disk)
    expect(calls).toBeGreaterThan(150)
    for (let at = 1; at <= calls; at += every(stride)) {
      try {
        await play(work, at, disk)
      } catch (error) {
        throw new Error(`cut at call ${at} of ${calls}, seed ${SEED + at}`, { cause: error })
      }
    }
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
