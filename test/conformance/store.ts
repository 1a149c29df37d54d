/**
 * The suite that every object store passes before a lake is trusted to it, against `connectors/lake/store.ts`. It knows
 * no store: a bucket or a directory is the harness's business. A store's own test is one call.
 *
 *     storeConformance({ describe, it }, { name: 'file', open })
 */
import type { ObjectStore, StagedFile } from '../../connectors/lake/store.ts'
import { racingCases } from './store-racing-cases.ts'
import { stagingCases } from './store-staging-cases.ts'
import { objectCases } from './store-object-cases.ts'
import { runCase, runCases, type Runner, type Waived } from './cases.ts'

/** An empty place, and two who use it. */
export interface StoreHarness {
  store: ObjectStore
  /** The same place through a client, or process, of its own. */
  other: ObjectStore
  /** Removes staged data behind the store's back, as a clean-up rule or a person would. */
  loseStaged: (file: StagedFile) => Promise<void>
  close(): Promise<void>
}

export type StoreCheck = (harness: StoreHarness) => Promise<void>

export const storeCases = { ...objectCases, ...stagingCases, ...racingCases }
export type StoreCase = keyof typeof storeCases

export interface StoreConformance {
  name: string
  open: () => Promise<StoreHarness>
  waive?: Waived<StoreCase>
}

export function storeConformance(runner: Runner, { name, open, waive }: StoreConformance): void {
  const cases: Record<StoreCase, StoreCheck> = storeCases
  runCases(runner, `${name} as a lake's store`, { cases, open, ...(waive ? { waive } : {}) })
}

/** One case in a place of its own; throws what is wrong. */
export async function runStoreCase(name: StoreCase, { open }: Pick<StoreConformance, 'open'>): Promise<void> {
  const check: StoreCheck = storeCases[name]
  await runCase(open, check)
}
