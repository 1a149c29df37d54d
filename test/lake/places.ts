/**
 * The kinds of place that every scenario is played in: uploads in memory and a directory. LAKEWARD_PLACES=versitygw (or
 * moto) plays them in a bucket of that server instead.
 */
import { afterAll } from 'vitest'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { MemoryPlace, memoryStore } from './memory-store.ts'
import { s3Servers, type TestS3 } from '../s3-servers.ts'
import { storeOn } from '../s3/s3-place.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { Watch } from './watched-store.ts'

export interface Place {
  name: string
  watch: Watch
  /** A client of its own. */
  store: () => ObjectStore
  /** Staged files that are there, as keys. */
  loseStaged: (which: (key: string) => boolean) => Promise<string[]>
}

export function inMemory(settleMs = 0): Place {
  const place = new MemoryPlace()
  const watch = new Watch()
  return {
    name: 'uploads in memory',
    watch,
    store: () => watch.over(memoryStore(place, settleMs)),
    loseStaged: async (which) => {
      const lost = [...place.uploads].filter(([, { key }]) => which(key))
      for (const [upload] of lost) place.uploads.delete(upload)
      return lost.map(([, { key }]) => key)
    },
  }
}

export function onDisk(disk = new SimulatedDisk()): Place {
  const watch = new Watch()
  const store = (): ObjectStore => watch.over(fileStore('/lake', { fs: disk }))
  return {
    name: 'a directory',
    watch,
    store,
    loseStaged: async (which) => {
      const lost: string[] = []
      for (const flow of await disk.readDirectory('/lake/_lakeward')) {
        const areas = `_lakeward/${flow.name}/Integers/staged`
        for await (const { key, upload } of store().staged(areas, '')) {
          if (!which(key)) continue
          await disk.unlink(`/lake/${upload}`)
          lost.push(key)
        }
      }
      return lost
    },
  }
}

let folders = 0

/** A folder of its own in a bucket, which need not be empty. */
export function inBucket(server: TestS3, bucket: string, settleMs = 0): Place {
  const watch = new Watch()
  const path = `place-${++folders}`
  const store = (): ObjectStore => watch.over(storeOn(server, bucket, { path, settleMs }))
  return {
    name: server.name,
    watch,
    store,
    loseStaged: async (which) => {
      const lost: string[] = []
      for await (const file of store().staged('', '')) {
        if (!which(file.key)) continue
        await store().abort(file)
        lost.push(file.key)
      }
      return lost
    },
  }
}

export const places: [name: string, make: () => Place][] = [
  ['uploads in memory', () => inMemory()],
  ['a directory', () => onDisk()],
]

const [only] = Object.entries(s3Servers).filter(([name]) => name === process.env['LAKEWARD_PLACES'])
if (only) {
  const server = await only[1]()
  const bucket = await server.createBucket()
  afterAll(() => server.stop())
  places.splice(0, places.length, [only[0], () => inBucket(server, bucket)])
}
