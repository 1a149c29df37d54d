/** `limits` of a connection: how much of its vendor it may take. */
import type { DailyCalls } from './budget.ts'
import type { Connector } from './connector.ts'
import { type Found, integer, kind, type Path, strict, words } from './strict.ts'
import { z } from 'zod'

export interface ConnectionLimits {
  /** Requests in flight of one worker, and objects of a run at once. */
  parallel: number
  /** null: as many as the vendor allows. */
  dailyCalls: DailyCalls | null
}

const PARALLEL = 16
const PERCENT = /^(100|[1-9][0-9]?)%$/

const dailyCalls = z
  .union(
    [z.int().min(1), z.string().regex(PERCENT, { error: words('is no share', 'write a whole number with %: "50%"') })],
    {
      error: ({ input }) =>
        words(`must be a number of calls or a share, not ${kind(input)}`, 'for example 20000 or "50%"'),
    },
  )
  .describe('Calls a day that Lakeward may make, or the share of the limit that may be used when it stops: "50%"')

export const limits = strict('limits', {
  parallel: integer('Requests in flight of one worker, and objects of a run at once', 1).max(256).optional(),
  dailyCalls: dailyCalls.optional(),
}).describe("How much of the vendor's limits the connection may take")

/** A share is one of a limit that answers tell; a connector whose vendor tells none has none. */
export function limitProblems(
  written: z.output<typeof limits> | undefined,
  connector: Pick<Connector, 'name' | 'limits'>,
  base: Path,
): Found[] {
  if (typeof written?.dailyCalls !== 'string' || connector.limits.some(({ daily }) => daily)) return []
  const what = `${connector.name} does not tell how much of its limit is used, so there can be no share of it`
  return [{ path: [...base, 'dailyCalls'], what, advice: 'write a number of calls' }]
}

export function completeLimits(
  written: z.output<typeof limits> = {},
  connector: Pick<Connector, 'limits'>,
): ConnectionLimits {
  const own = connector.limits.flatMap(({ parallel }) => parallel ?? [])
  const { parallel = Math.min(PARALLEL, ...own), dailyCalls: daily = null } = written
  if (typeof daily !== 'string') return { parallel, dailyCalls: daily === null ? null : { calls: daily } }
  return { parallel, dailyCalls: { share: Number(daily.slice(0, -1)) / 100 } }
}
