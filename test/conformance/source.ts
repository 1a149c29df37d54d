/**
 * The suite that every source passes, against `connectors/connector.ts`. It knows no connector: what a system is and
 * how it fails is the harness's business. A connector's own test is one call.
 *
 *     sourceConformance({ describe, it }, { name: 'salesforce', connector: salesforce, open })
 */
import type { Connector } from '../../connectors/connector.ts'
import type { SourceHarness } from './harness.ts'
import { type Case, readingCases } from './reading-cases.ts'
import { Reader } from './reading.ts'
import { troubleCases } from './trouble-cases.ts'

export const sourceCases = { ...readingCases, ...troubleCases }
export type SourceCase = keyof typeof sourceCases

/** Of vitest, or of anything that has the same two. */
export interface Runner {
  describe(name: string, body: () => void): unknown
  it: {
    (name: string, body: () => Promise<void>, timeoutMs: number): unknown
    skip(name: string, body: () => Promise<void>): unknown
  }
}

export interface SourceConformance {
  name: string
  connector: Connector
  /** A system in its first state, for one case. */
  open: () => Promise<SourceHarness>
  /** Cases the source cannot meet, each with the reason why. They are shown as skipped. */
  waive?: Partial<Record<SourceCase, string>>
}

const CASE_MS = 120_000

export function sourceConformance(runner: Runner, suite: SourceConformance): void {
  const waived = suite.waive ?? {}
  for (const name of Object.keys(waived)) {
    if (!Object.hasOwn(sourceCases, name)) throw new Error(`there is no case '${name}' to waive`)
  }
  runner.describe(`${suite.name} as a source`, () => {
    for (const name of Object.keys(sourceCases) as SourceCase[]) {
      const reason = waived[name]
      const body = (): Promise<void> => runSourceCase(name, suite)
      if (reason === undefined) runner.it(name, body, CASE_MS)
      else runner.it.skip(`${name} (waived: ${reason})`, body)
    }
  })
}

/** One case against a system of its own; throws what is wrong. */
export async function runSourceCase(name: SourceCase, { connector, open }: SourceConformance): Promise<void> {
  const harness = await open()
  try {
    const run: Case = sourceCases[name]
    await run(new Reader(connector, harness))
  } finally {
    await harness.close()
  }
}
