/**
 * The state of a source that is too large for an entry: an object of its own, which the entry refers to.
 *
 * Laws: those of `seen.ts`, whose folder it shares. The object is created before the entry that refers to it, never
 * changed, and named by the entry's number; once that number is closed, an open removes what the newest `done` entry
 * does not refer to. Connectors and people see the state itself, never the reference.
 */
import { z } from 'zod'
import type { Json } from '../connector.ts'
import { hashOf } from './canonical.ts'
import { createOnce, damaged, readDocument } from './documents.ts'
import type { Shape } from './documents.ts'
import { laneKeys } from './keys.ts'
import { closedMeanwhile, readPlan } from './plans.ts'
import type { LakeLane, RunPlan } from './protocol.ts'

/** As JSON. */
const MOST_INLINE = 64 * 1024
const REF = '_lakewardState'

interface StateObject {
  version: 1
  state: Json
}
const shape: Shape<StateObject> = {
  name: 'the state of a source',
  schema: z.looseObject({ version: z.literal(1), state: z.json() }),
}

/** What stands in entry `n` for the state. */
export async function keepState(at: LakeLane, plan: RunPlan, state: Json, n: number): Promise<Json> {
  if (JSON.stringify(state).length <= MOST_INLINE || stateKey(state) !== undefined) return state
  const object: StateObject = { version: 1, state }
  const key = laneKeys(at.lane).seen(n, plan.run, hashOf(object).slice(0, 16))
  await createOnce(at.store, key, object, shape, () => closedMeanwhile(at, plan.run))
  await at.store.settle([key])
  return { [REF]: key }
}

/** The state that an entry has or refers to. `run`: who asks, if it is a run with a plan. */
export async function loadState(at: LakeLane, kept: Json, run?: string): Promise<Json> {
  const key = stateKey(kept)
  if (key === undefined) return kept
  const found = await readDocument(at.store, key, shape)
  if (found) return found.state
  // Another run has moved on, and removed what its entry replaced.
  if (run !== undefined && (await readPlan(at, run)) === null) throw closedMeanwhile(at, run)
  throw damaged(`${at.store.name}/${key}`, 'the state of the source is gone', {
    advice: 'Restore the file, or run once with --full: it begins anew.',
  })
}

/** The object that a state in an entry refers to; undefined: it is the state itself. */
export function stateKey(kept: Json): string | undefined {
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return undefined
  const key = kept[REF]
  return typeof key === 'string' ? key : undefined
}
