/** How many records may be quarantined before a run fails: a number, or a share of those that were read. */
import { z } from 'zod'
import { kind, words } from './strict.ts'

export type Allowance = { rows: number } | { percent: number }

const PERCENT = /^(100|[0-9]{1,2}(\.[0-9]{1,3})?)%$/

export const maxQuarantined = z
  .union(
    [
      z.int().min(0),
      z.string().regex(PERCENT, { error: words('is no share', 'write a number from 0 to 100 with %: "1%"') }),
    ],
    {
      error: ({ input }) =>
        words(`must be a number of records or a share, not ${kind(input)}`, 'for example 100 or "1%"'),
    },
  )
  .describe('Quarantined records of an object that a run may have, or their share of what was read: 100, "1%"')

export function allowanceOf(written: z.output<typeof maxQuarantined>): Allowance {
  return typeof written === 'number' ? { rows: written } : { percent: Number(written.slice(0, -1)) }
}

/** So many records at most. */
export function allowed(allowance: Allowance, read: number): number {
  return 'rows' in allowance ? allowance.rows : Math.floor((read * allowance.percent) / 100)
}
