/** Cases of a suite, each against a system of its own, or against one that they share. */

/** Of vitest, or of anything that has the same two. */
export interface Runner {
  describe(name: string, body: () => void): unknown
  it: {
    (name: string, body: () => Promise<void>, timeoutMs: number): unknown
    skip(name: string, body: () => Promise<void>): unknown
  }
}

/** Cases that cannot be met, each with the reason why. They are shown as skipped. */
export type Waived<Name extends string> = Partial<Record<Name, string>>

export interface Suite<Harness, Name extends string> {
  cases: Record<Name, (harness: Harness) => Promise<void>>
  open: () => Promise<Harness>
  waive?: Waived<Name>
}

const CASE_MS = 120_000

export function runCases<Harness extends { close(): Promise<void> }, Name extends string>(
  runner: Runner,
  title: string,
  { cases, open, waive = {} }: Suite<Harness, Name>,
): void {
  for (const name of Object.keys(waive)) {
    if (!Object.hasOwn(cases, name)) throw new Error(`there is no case '${name}' to waive`)
  }
  runner.describe(title, () => {
    for (const name of Object.keys(cases) as Name[]) {
      const body = (): Promise<void> => runCase(open, cases[name])
      const reason = waive[name]
      if (reason === undefined) runner.it(name, body, CASE_MS)
      else runner.it.skip(`${name} (waived: ${reason})`, body)
    }
  })
}

/** One case against a system of its own; throws what is wrong. */
export async function runCase<Harness extends { close(): Promise<void> }>(
  open: () => Promise<Harness>,
  check: (harness: Harness) => Promise<void>,
): Promise<void> {
  const harness = await open()
  try {
    await check(harness)
  } finally {
    await harness.close()
  }
}
