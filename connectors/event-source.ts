/**
 * Events as a source: what a batch of a listening flow holds, as records.
 *
 * Laws
 * - The plan takes what waits, and names the kept objects and the state of the lane; `read` and `finish` depend on
 *   these alone, so every attempt of a batch is the same batch.
 * - An event's text goes on as it was written: numbers keep every digit.
 * - What is not new is left out before it is a record.
 */
import type { Ask, Field, FieldType, Json, JsonObject, ObjectSchema, Page, Plan, Session, Source } from './connector.ts'
import { ConnectorError } from './errors.ts'
import type { Inbox, KeptEvent } from './events.ts'
import { recordsIn } from './event-records.ts'
import { strict, text } from './strict.ts'

const PAGE_BYTES = 1024 * 1024

interface Request {
  refs: string[]
  state: Json
  /** Where records lie in the body; absent: the body is one, or nothing is declared of it. */
  record?: string
  declared: boolean
}

export const eventSource: Source = {
  options: strict('options of events', {
    record: text('Where the record lies in the body; default: the body itself. A list there is several').optional(),
  }),
  settleMs: 0,
  events: true,
  async *objects() {
    // Kinds are known when they come: there is no list of them.
  },
  describe: (_session, object, options) => Promise.resolve(describe(object, options)),
  plan: (session, ask) => plan(inboxOf(session, ask.object), ask),
  read: (session, { request }, _range, from) => read(session, request as unknown as Request, from),
  // What was new when it was planned is new until it is committed: the lane is this run's alone.
  count: (_session, { counted }) => Promise.resolve(counted),
  finish(session, { request }) {
    const { refs, state } = request as unknown as Request
    return inboxOf(session, 'events').remember(refs, state)
  },
  async release(session, { request }, how) {
    const { refs, state } = request as unknown as Request
    if (how === 'done') await inboxOf(session, 'events').release(refs, state)
  },
}

/** Of an event, whatever its body is. */
const whole: Field[] = [
  { name: 'id', type: 'string', nullable: false, label: "The event's id at the vendor" },
  { name: 'kind', type: 'string', nullable: false },
  { name: 'received_at', type: 'timestamp', nullable: false },
  { name: 'body', type: 'json', nullable: false },
]
/** Beside what a flow declares of the body. */
const about: Field[] = [
  { name: '_event_id', type: 'string', nullable: false, label: "The event's id at the vendor" },
  { name: '_event_kind', type: 'string', nullable: false },
  { name: '_received_at', type: 'timestamp', nullable: false },
]

function describe(object: string, options: JsonObject): ObjectSchema {
  const declared = Object.entries((options['schema'] ?? {}) as Record<string, FieldType>)
  const fields = declared.map(([name, type]): Field => ({ name, type, nullable: true }))
  const [{ name: key }, all] = fields.length === 0 ? [whole[0]!, whole] : [about[0]!, [...about, ...fields]]
  // A list of records of one event has its id in all of them.
  const keys = typeof options['record'] === 'string' ? [] : [key]
  return { object, fields: all, keys, cursors: [], deletes: false }
}

function inboxOf({ inbox, connection }: Session, object: string): Inbox {
  if (inbox) return inbox
  throw new ConnectorError({
    connector: 'lakeward',
    doing: `read ${object} of ${connection}`,
    kind: 'rejected',
    reason: 'events come by themselves, and are read by the listener of a flow alone',
    advice: 'Apply a flow with `trigger: { event: webhook }`, and let `lakeward listen` run.',
  })
}

async function plan(inbox: Inbox, { options, state }: Ask): Promise<Plan> {
  const { refs, left } = await inbox.take()
  const { record } = options as { record?: string }
  const declared = Object.keys((options['schema'] ?? {}) as object).length > 0
  const request: Request = { refs, state, declared, ...(record === undefined ? {} : { record }) }
  let [events, repeats] = [0, 0]
  for await (const { events: fresh, repeated } of inbox.fresh(refs, state)) {
    events += fresh.length
    repeats += repeated
  }
  const again = repeats === 0 ? [] : [`${count(repeats)} had come before, and are not written again.`]
  return {
    api: 'events',
    request: request as unknown as Json,
    ranges: [{ id: 'events', spec: null }],
    bound: null,
    from: null,
    cursorField: null,
    pushed: null,
    order: 'none',
    repeats: false,
    counted: record === undefined ? events : null,
    heldBack: left > 0 ? left : null,
    notes: again,
  }
}

const count = (events: number): string => (events === 1 ? '1 event' : `${events.toLocaleString('en')} events`)

async function* read(session: Session, request: Request, from: Json | null): AsyncGenerator<Page> {
  const { refs, state } = request
  const done = Number(from ?? 0)
  let [at, told] = [0, 0]
  let lines: string[] = []
  let length = 0
  const page = (next: Json | null): Page => {
    const body = Buffer.from(lines.join(''))
    const shape = { format: 'jsonl', badLines: 'reject' } as const
    ;[lines, length] = [[], 0]
    return { body, shape, next, position: `${count(told)} of ${refs.length} deliveries` }
  }
  for await (const { events } of inboxOf(session, 'events').fresh(refs, state)) {
    session.signal.throwIfAborted()
    at++
    told += events.length
    if (at <= done) continue
    for (const event of events) {
      for (const line of linesOf(event, request)) {
        lines.push(line)
        length += line.length
      }
    }
    if (length >= PAGE_BYTES && at < refs.length) yield page(at)
  }
  yield page(null)
}

/** The event's text inside a line of its own; what is no record is a line that no batch can hold. */
function linesOf({ id, kind, atMs, body }: KeptEvent, { declared, record }: Request): string[] {
  const at = new Date(atMs).toISOString()
  const names = (declared ? about : whole).map(({ name }) => JSON.stringify(name))
  const head = `${names[0]}:${JSON.stringify(id)},${names[1]}:${JSON.stringify(kind)},${names[2]}:"${at}"`
  if (!declared) return recordsIn(body, record).map((one) => `{${head},"body":${one}}\n`)
  return recordsIn(body, record).map((one) => {
    const inner = /^\{\s*([^]*)\}$/.exec(one.trim())?.[1]
    if (inner === undefined) return `${one}\n`
    return inner === '' ? `{${head}}\n` : `{${head},${inner}}\n`
  })
}
