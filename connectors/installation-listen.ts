/** `listen:` of lakeward.yaml: where webhooks are received, and how much is taken. */
import type { z } from 'zod'
import { size } from './flow-values.ts'
import { address } from './installation-worker.ts'
import { integer, strict, words } from './strict.ts'

/** As `listen:` is read; every member may be absent. */
export type ListenOptions = z.output<typeof listenSchema>

const MOST_BODY = 16 * 1024 * 1024

export const listenSchema = strict('listen', {
  address: address('host:port where /hooks/<connection> is served; default 127.0.0.1:8480').optional(),
  maxBody: size('Larger requests are refused; default 1MB')
    .refine((bytes) => bytes <= MOST_BODY, { error: words('is too large for an event', 'at most 16MB') })
    .optional(),
  rate: integer('Events a second and connection; more are asked to come later; default 1000', 1)
    .max(100_000)
    .optional(),
  waiting: integer('Events that may wait in a flow; more are asked to come later; default 1000000', 1)
    .max(100_000_000)
    .optional(),
}).describe('Options of `lakeward listen`')
