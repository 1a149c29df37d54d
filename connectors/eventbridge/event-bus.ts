/** The calls of EventBridge that are made here, each error in this project's words. */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import type { Session } from '../connector.ts'
import type { Outcome } from '../record-sink.ts'
import type { EventEntry } from './entries.ts'
import { apiError, outcomeOf } from './errors.ts'
import type { Bus } from './settings.ts'

type Sdk = typeof import('@aws-sdk/client-eventbridge')

const clients = new WeakMap<Session, EventBridgeClient>()

/** One outcome per entry, in their order. */
export async function putEvents(session: Session, entries: (EventEntry & { Time?: Date })[]): Promise<Outcome[]> {
  // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
  const { Entries = [] } = await ask(session, 'put events', (sdk, client, abort) =>
    client.send(new sdk.PutEventsCommand({ Entries: entries }), abort),
  )
  if (Entries.length === entries.length) return Entries.map(outcomeOf)
  const answer = `${entries.length} entries were sent, and the answer is not one result for each`
  throw apiError(Object.assign(new Error(answer), { name: 'InternalAnswer' }), 'put events')
}

/** Its ARN. @throws ConnectorError where there is no such bus, or the login may not look at it */
export async function findBus(session: Session): Promise<string> {
  const { bus: Name } = session.settings as unknown as Bus
  // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html
  const { Arn } = await ask(session, `look at the bus ${Name}`, (sdk, client, abort) =>
    client.send(new sdk.DescribeEventBusCommand({ Name }), abort),
  )
  return Arn ?? Name
}

async function ask<T>(
  session: Session,
  doing: string,
  call: (sdk: Sdk, client: EventBridgeClient, options: { abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  try {
    const sdk = await import('@aws-sdk/client-eventbridge')
    return await call(sdk, clientOf(session, sdk), { abortSignal: session.signal })
  } catch (error) {
    session.signal.throwIfAborted()
    throw apiError(error, doing)
  }
}

function clientOf(session: Session, sdk: Sdk): EventBridgeClient {
  const known = clients.get(session)
  if (known) return known
  const { region, endpoint } = session.settings as unknown as Bus
  const credentials = session.aws?.()
  const made = new sdk.EventBridgeClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
  })
  clients.set(session, made)
  return made
}
