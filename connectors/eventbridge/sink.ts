/**
 * Records as events. An event that is sent twice is delivered twice: whoever receives it tells by its id, which is the
 * same in every attempt, so that sending may be repeated.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import type { Outcome, RecordBatch, RecordSink } from '../record-sink.ts'
import { together } from '../together.ts'
import { claimDetail, detailOf, entryBytes, type EventEntry, requestsOf } from './entries.ts'
import { findBus, putEvents } from './event-bus.ts'
import { type Bus, type EventOptions, LIMIT_BYTES, MOST_TYPE, options, SOURCE } from './settings.ts'

/** Requests in flight. Regions take 400 requests a second and more. */
const PARALLEL = 4
/** Of entries that EventBridge does not take for a moment. */
const TRIES = 5
const PAUSE_MS = 100

export const sink: RecordSink = {
  options,
  writes: [{ write: 'append', repeatable: true, maxRows: 5_000, maxBytes: 20_000_000 }],
  async target(session, object) {
    await findBus(session)
    if (object.length > MOST_TYPE) throw longType(object)
    return { object, fields: [], open: true }
  },
  way: () => 'send',
  send: sendEvents,
}

async function sendEvents(session: Session, batch: RecordBatch): Promise<Outcome[]> {
  const { bus, limit: named } = session.settings as unknown as Bus
  const limit = LIMIT_BYTES[named]
  const { source = SOURCE, detailType = batch.target.object } = batch.options as Partial<EventOptions>
  const entryOf = (Detail: string): EventEntry => ({
    Source: source,
    DetailType: detailType,
    Detail,
    EventBusName: bus,
  })
  const outcomes: Outcome[] = []
  const entries: { row: number; entry: EventEntry }[] = []
  for (const [row, record] of batch.rows.entries()) {
    const id = batch.ids[row]!
    const entry = entryOf(detailOf(batch.fields, record, id))
    const bytes = entryBytes(entry)
    if (bytes < limit) entries.push({ row, entry })
    else if (batch.claim) {
      const body = Buffer.from(entry.Detail)
      const { url } = await batch.claim(id, body)
      entries.push({ row, entry: entryOf(claimDetail(id, url, body)) })
    } else outcomes[row] = tooLarge(bytes, named, session.connection)
  }

  let open = entries
  for (let tried = 1; ; tried++) {
    await put(session, open, limit, (row, outcome) => void (outcomes[row] = outcome))
    open = open.filter(({ row }) => goesAgain(outcomes[row]!))
    session.beat(`${entries.length - open.length} of ${batch.rows.length} events sent as ${detailType}`)
    // Those that go on failing are the caller's to wait for.
    if (open.length === 0 || tried === TRIES) return outcomes
    await sleep(PAUSE_MS * 2 ** (tried - 1), undefined, { signal: session.signal })
  }
}

/** All of them once. */
async function put(
  session: Session,
  entries: { row: number; entry: EventEntry }[],
  limit: number,
  tell: (row: number, outcome: Outcome) => void,
): Promise<void> {
  const sizes = entries.map(({ entry }) => entryBytes(entry))
  const requests = requestsOf(sizes, limit).map((request) => request.map((at) => entries[at]!))
  const streams = Array.from({ length: PARALLEL }, (_, stream) =>
    requests.filter((_request, at) => at % PARALLEL === stream),
  )
  await together(streams, async (stream, stopped) => {
    for (const request of stream) {
      if (stopped()) return
      const told = await putEvents(
        session,
        request.map(({ entry }) => entry),
      )
      request.forEach(({ row }, i) => tell(row, told[i]!))
    }
  })
}

const goesAgain = (outcome: Outcome): boolean => !outcome.ok && outcome.again

function tooLarge(bytes: number, limit: string, connection: string): Outcome {
  const size = `${Math.ceil(bytes / 1024)} KB as an event, and ${limit} is the limit`
  const advice = `with \`staging: {connection: …}\` of ${connection} its body would lie there`
  return { ok: false, reason: `TooLarge: the record has ${size}; ${advice}`, again: false }
}

function longType(object: string): ConnectorError {
  return new ConnectorError({
    connector: 'eventbridge',
    doing: 'look at the target',
    kind: 'rejected',
    reason: `the detail-type of events has ${MOST_TYPE} letters at most, and ${object.slice(0, 40)}… has more`,
    advice: 'Write a shorter `into`.',
  })
}
