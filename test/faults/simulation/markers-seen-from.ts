/**
 * The state as one of many machines sees it: all simulated processes are one in truth, so the marker of another is
 * shown as one of another process of this machine, dead or alive, or of another machine.
 */
import type { JsonObject } from '../../../connectors/connector.ts'
import type { Marker } from '../../../worker/refresh-marker.ts'
import type { StateStore } from '../../../worker/state.ts'
import type { Process } from './scheduler.ts'

/** No process has it, and the parent of this one lives. */
const NOBODY = 2 ** 22 + 1

export interface Machine {
  process: Process
  machine: number
  /** When its process set its marker last. */
  markedMs: number
}

export function markersSeenFrom(
  own: Machine,
  all: readonly Machine[],
  state: StateStore,
  now: () => number,
): StateStore {
  const shown = (marker: Marker): Marker => {
    const [by, name] = marker.by.split('@')
    const setter = all.find(({ process }) => process.name === name)
    if (!setter || setter.process === own.process) return { ...marker, by: by! }
    const isHere = setter.machine === own.machine
    return {
      ...marker,
      machine: isHere ? marker.machine : `machine ${setter.machine}`,
      pid: setter.process.dead ? NOBODY : process.ppid,
    }
  }
  // Ours is marked as ours; one of others that is written again stays as it was stored.
  const stored = new Map<string, Marker>()
  const through = (value: JsonObject | null, how: (marker: Marker) => Marker): JsonObject | null => {
    const marker = value?.['refreshing'] as unknown as Marker | null | undefined
    return marker ? ({ ...value, refreshing: how(marker) } as unknown as JsonObject) : value
  }
  return {
    async read(name) {
      const { version, value } = await state.read(name)
      const seen = through(value, (marker) => {
        const found = shown(marker)
        stored.set(found.by, marker)
        return found
      })
      return { version, value: seen }
    },
    write(name, value, after) {
      const marked = through(value, (marker) => {
        const others = stored.get(marker.by)
        if (others) return others
        own.markedMs = now()
        return { ...marker, by: `${marker.by}@${own.process.name}` }
      })
      return state.write(name, marked!, after)
    },
  }
}
