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
import type { Runner } from './source.ts'

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
  open(): Promise<StoreHarness>
  /** Cases the store cannot meet, each with the reason why. They are shown as skipped. */
  waive?: Partial<Record<StoreCase, string>>
}

const CASE_MS = 120_000

export function storeConformance(runner: Runner, suite: StoreConformance): void {
  const waived = suite.waive ?? {}
  for (const name of Object.keys(waived)) {
    if (!Object.hasOwn(storeCases, name)) throw new Error(`there is no case '${name}' to waive`)
  }
  runner.describe(`${suite.name} as a lake's store`, () => {
    for (const name of Object.keys(storeCases) as StoreCase[]) {
      const reason = waived[name]
      const body = (): Promise<void> => runStoreCase(name, suite)
      if (reason === undefined) runner.it(name, body, CASE_MS)
      else runner.it.skip(`${name} (waived: ${reason})`, body)
    }
  })
}

/** One case in a place of its own; throws what is wrong. */
export async function runStoreCase(name: StoreCase, { open }: Pick<StoreConformance, 'open'>): Promise<void> {
  const harness = await open()
  try {
    const check: StoreCheck = storeCases[name]
    await check(harness)
  } finally {
    await harness.close()
  }
}
