/** Settings of an EventBridge connection, and what a flow says of the events it sends there. */
import { z } from 'zod'
import { apiEndpoint, externalId, roleArn } from '../aws-settings.ts'
import { choice, strict, text, words } from '../strict.ts'

export const settings = strict('an eventbridge connection', {
  bus: z
    .string()
    .regex(/^(?:arn:[\w-]+:events:[\w-]+:\d{12}:event-bus\/)?[\w./-]{1,256}$/, {
      error: words('is no name of an event bus', 'its name or its ARN'),
    })
    .describe('Event bus, by name or ARN; default: the one of the account')
    .default('default'),
  region: text("Region of the bus; default: the machine's (AWS_REGION, profile)").optional(),
  endpoint: apiEndpoint('EventBridge').optional(),
  role: roleArn('ARN of a role to assume').optional(),
  externalId: externalId.optional(),
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
  limit: choice('What an event may have; AWS took 256KB until 2026, and other services still do', [
    '256KB',
    '1MB',
  ]).default('256KB'),
})

/** As `settings` parsed them. */
export interface Bus {
  bus: string
  region?: string
  endpoint?: string
  limit: '256KB' | '1MB'
}

/** An entry, and the entries of a request together, stay below it. */
export const LIMIT_BYTES = { '256KB': 256 * 1024, '1MB': 1024 * 1024 }

/** `source` of what says none. */
export const SOURCE = 'lakeward'
/** Letters of a `detail-type`. */
export const MOST_TYPE = 128

export const options = strict('options of an eventbridge destination', {
  source: z
    .string()
    .min(1)
    .max(256)
    .refine((source) => !source.startsWith('aws.'), {
      error: words('begins with aws., which AWS keeps for itself', 'a name of your own: com.acme.crm'),
    })
    .describe('`source` of the events')
    .default(SOURCE),
  detailType: text('`detail-type` of the events; default: `into` of the object')
    .max(MOST_TYPE, { error: words(`is longer than ${MOST_TYPE} letters`, 'shorten it') })
    .optional(),
})

export type EventOptions = z.output<typeof options>
