/** The two kinds of place that every scenario is played in. */
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { MemoryPlace, memoryStore } from './memory-store.ts'
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

export const places: [name: string, make: () => Place][] = [
  ['uploads in memory', () => inMemory()],
  ['a directory', () => onDisk()],
]
