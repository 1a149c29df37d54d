/**
 * A process of its own that works on a directory lake until it is killed, and knows nothing of that.
 *
 *     lake-process.ts run <directory> <flow> <id>    runs the lane over and over
 *     lake-process.ts race <directory> <id> <keys>   creates every key, tells which were its own
 */
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { LakeError } from '../../connectors/lake/errors.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { laneStatus } from '../../connectors/lake/readers.ts'
import type { Work } from './integers.ts'
import { integerOf } from './integers.ts'
import { LANE, LaneWorkflow } from './lane-workflow.ts'

const [, , mode, directory = '', ...rest] = process.argv

function some(from: number, to: number): number {
  return from + Math.floor(Math.random() * (to - from))
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** A dot for each call: whoever kills us does so after some of them, on machines of any speed. */
function told(store: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        process.stdout.write('.')
        return Reflect.apply(member, target, args) as unknown
      }
    },
  })
}

async function runForEver(flow: string, id: string): Promise<never> {
  const lane = { ...LANE, flow }
  const place = () => told(fileStore(directory))
  for (;;) {
    const start = Date.now()
    const { state } = await laneStatus(new LaneWorkflow({ place, work: { clock: 0 }, start, lane }).at())
    const read = state.watermark === null ? 0 : integerOf(state.watermark)
    const work: Work = {
      clock: read + some(10, 60),
      unitRows: some(4, 30),
      ranges: some(1, 3),
      ...(Math.random() < 0.4 ? { stepUnits: some(1, 4) } : {}),
      ...(Math.random() < 0.15 ? { ask: { full: true } } : {}),
    }
    try {
      await new LaneWorkflow({ place, work, start, lane, id }).sync()
      tell('ran')
    } catch (error) {
      if (!(error instanceof LakeError) || error.type !== 'CommitConflict') throw error
      tell('conflict')
    }
  }
}

async function race(id: string, keys: number): Promise<void> {
  const store = fileStore(directory)
  const won: number[] = []
  for (let n = 0; n < keys; n++) {
    if ((await store.create(`race/${n}`, Buffer.from(`${id} `.repeat(300)))) === 'created') won.push(n)
  }
  tell(JSON.stringify(won))
}

if (mode === 'run') await runForEver(rest[0] as string, rest[1] as string)
else await race(rest[0] as string, Number(rest[1]))
