/**
 * A process's view of the store: each call waits for its turn, and may meet a trouble. Listings come page by page, so
 * others go on in the midst of them.
 */
import type { ObjectStore, StagedWriter } from '../../../connectors/lake/store.ts'
import { Crash } from './scheduler.ts'
import type { Process, Scheduler } from './scheduler.ts'
import type { Trouble } from './troubles.ts'

/** The store's own fault: whoever met it tries the step again. */
export class StoreTrouble extends Error {
  override readonly name = 'StoreTrouble'
}

const PAGE = 3

export interface Surroundings {
  scheduler: Scheduler
  store: ObjectStore
  /** Draws what befalls this call, and does what is not the call's own matter. */
  trouble(process: Process): Trouble
  /** Time passes for everybody. */
  sleep(process: Process, ms: number): Promise<void>
  log(line: string): void
}

export function simulatedStore(world: Surroundings, process: Process): ObjectStore {
  const { scheduler, store } = world

  async function call<T>(name: string, effect: () => Promise<T>): Promise<T> {
    await scheduler.gate(process)
    const trouble = world.trouble(process)
    world.log(`${process.name}: ${name}${trouble === 'none' ? '' : `: ${trouble}`}`)
    if (trouble === 'the process dies before the call') throw die()
    if (trouble === 'the call fails') throw new StoreTrouble(name)
    const first = await effect()
    if (process.dead) throw new Crash(process.name)
    if (trouble === 'the process dies behind the call') throw die()
    if (trouble === 'the answer is lost') throw new StoreTrouble(`${name}, answer lost`)
    return trouble === 'the call comes twice' ? effect() : first
  }

  function die(): Crash {
    scheduler.kill(process)
    return new Crash(process.name)
  }

  return {
    name: store.name,
    settleMs: store.settleMs,
    async *list(prefix, { startAt = '' } = {}) {
      for (let from = startAt, more = true; more;) {
        const page = await call(`list ${prefix} from ${from}`, () => taken(store.list(prefix, { startAt: from })))
        more = page.length > PAGE
        for (const object of page.slice(0, PAGE)) yield object
        // Behind the last key shown: what appears there later is shown, as a real store may.
        from = `${page[Math.min(PAGE, page.length) - 1]?.key}\0`
      }
    },
    async *staged(areas, prefix) {
      const shown = new Set<string>()
      for (let more = true; more;) {
        const all = await call(`staged ${prefix}`, () => taken(store.staged(areas, prefix), Number.POSITIVE_INFINITY))
        const page = all.filter(({ upload }) => !shown.has(upload))
        more = page.length > PAGE
        for (const upload of page.slice(0, PAGE)) {
          shown.add(upload.upload)
          yield upload
        }
      }
    },
    get: (key) => call(`get ${key}`, () => store.get(key)),
    head: (key) => call(`head ${key}`, () => store.head(key)),
    create: (key, body) => call(`create ${key}`, () => store.create(key, body)),
    put: (key, body) => call(`put ${key}`, () => store.put(key, body)),
    delete: (key) => call(`delete ${key}`, () => store.delete(key)),
    complete: (file) => call(`complete ${file.key}`, () => store.complete(file)),
    abort: (file) => call(`abort ${file.key}`, () => store.abort(file)),
    settle: (keys) => store.settle(keys),
    async stage(file): Promise<StagedWriter> {
      const writer = await call(`stage ${file.key}`, () => store.stage(file))
      return {
        write: (chunk) => writer.write(chunk),
        close: () => call(`close ${file.key}`, () => writer.close()),
        abort: () => call(`drop ${file.key}`, () => writer.abort()),
      }
    },
  }
}

async function taken<T>(items: AsyncIterable<T>, most = PAGE + 1): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) if (all.push(item) === most) break
  return all
}
