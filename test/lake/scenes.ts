/** Short words for scenes: a run that ends well, one that dies at a call, one that dies before a step. */
import { expect } from 'vitest'
import type { Lane, LakeLane } from '../../connectors/lake/protocol.ts'
import type { Ended, WorkflowOptions } from './lane-workflow.ts'
import { LaneWorkflow, Terminated } from './lane-workflow.ts'
import type { Work } from './integers.ts'
import type { Place } from './places.ts'
import { TroubledStore } from './troubled-store.ts'

export type More = Partial<WorkflowOptions>

export function workflow(place: Place, start: number, work: Work, more: More = {}): LaneWorkflow {
  return new LaneWorkflow({ place: place.store, work, start, ...more })
}

export async function run(place: Place, start: number, work: Work, more: More = {}): Promise<Ended & LaneWorkflow> {
  const one = workflow(place, start, work, more)
  return Object.assign(one, await one.sync())
}

/** A run whose workflow is terminated before the `nth` time of this step. */
export async function dies(place: Place, start: number, work: Work, step: string, nth = 1, more: More = {}) {
  let times = 0
  const one = workflow(place, start, work, {
    ...more,
    before: (name) => {
      if (name === step && ++times === nth) throw new Terminated(name)
    },
  })
  await expect(one.sync()).rejects.toThrow(Terminated)
  return one
}

/** A run whose workflow and process die right after the first call whose name begins so. */
export async function diesAfter(place: Place, start: number, work: Work, call: RegExp, more: More = {}) {
  return diesAt(place, start, work, call, 'dies after', more)
}

/** A run whose process freezes at that call, and whose workflow is terminated. */
export async function freezesAt(place: Place, start: number, work: Work, call: RegExp, more: More = {}) {
  return diesAt(place, start, work, call, 'freezes before', more)
}

async function diesAt(
  place: Place,
  start: number,
  work: Work,
  call: RegExp,
  how: 'dies after' | 'freezes before',
  more: More,
) {
  const one = workflow(place, start, work, { ...more, mortal: true })
  one.process = new TroubledStore(place.store(), { call, how })
  await expect(one.sync()).rejects.toThrow(Terminated)
  return one
}

export function laneAt(place: Place, lane: Lane, more: Partial<LakeLane> = {}): LakeLane {
  return { store: place.store(), lane, beat: () => {}, sleep: async () => {}, ...more }
}
