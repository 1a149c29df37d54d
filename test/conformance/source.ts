/**
 * The suite that every source passes, against `connectors/connector.ts`. It knows no connector: what a system is and
 * how it fails is the harness's business. A connector's own test is one call.
 *
 *     sourceConformance({ describe, it }, { name: 'salesforce', connector: salesforce, open })
 */
import type { Connector } from '../../connectors/connector.ts'
import { runCase, runCases, type Runner, type Waived } from './cases.ts'
import type { SourceHarness } from './harness.ts'
import { type Case, readingCases } from './reading-cases.ts'
import { Reader } from './reading.ts'
import { troubleCases } from './trouble-cases.ts'

export const sourceCases = { ...readingCases, ...troubleCases }
export type SourceCase = keyof typeof sourceCases

export interface SourceConformance {
  name: string
  connector: Connector
  /** A system in its first state, for one case. */
  open: () => Promise<SourceHarness>
  waive?: Waived<SourceCase>
}

export function sourceConformance(runner: Runner, { name, connector, open, waive }: SourceConformance): void {
  const cases = Object.fromEntries(
    Object.entries(sourceCases).map(([title, run]) => [title, checkOf(connector, run)]),
  ) as Record<SourceCase, Check>
  runCases(runner, `${name} as a source`, { cases, open, ...(waive ? { waive } : {}) })
}

/** One case against a system of its own; throws what is wrong. */
export async function runSourceCase(name: SourceCase, { connector, open }: SourceConformance): Promise<void> {
  await runCase(open, checkOf(connector, sourceCases[name]))
}

type Check = (harness: SourceHarness) => Promise<void>

function checkOf(connector: Connector, run: Case): Check {
  return (harness) => run(new Reader(connector, harness))
}
