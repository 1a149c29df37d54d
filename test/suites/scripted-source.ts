/** A source over the scripted system: right as it is, and wrong in one way for each of its flaws. */
import type { Ask, Connector, Json, JsonObject, Page, Plan, Row, Session, Source } from '../../connectors/connector.ts'
import { ConnectorError } from '../../connectors/errors.ts'
import type { Question, Reply } from './scripted-system.ts'

export interface SourceFlaws {
  emptyIsEnd?: boolean
  missesRepeats?: boolean
  htmlIsEmpty?: boolean
  takesHalf?: boolean
  ordersByStampAlone?: boolean
  resumesTooLate?: boolean
  resumesTooEarly?: boolean
  neverSettles?: boolean
  includesBound?: boolean
  excludesFrom?: boolean
  ignoresWindow?: boolean
  hidesDeletes?: boolean
  showsDeletesAlways?: boolean
  deletesAsUpserts?: boolean
  readsBeyondPlan?: boolean
  countsWrong?: boolean
  countsLater?: boolean
  roundsNumbers?: boolean
  emptyTextIsNull?: boolean
  dropsNullsByNe?: boolean
  pushesInSecret?: boolean
  ourClock?: boolean
  fullByWindow?: boolean
  endsWithCursor?: boolean
  changesIdentity?: boolean
  changesSchema?: boolean
  unlisted?: boolean
  badRange?: boolean
  ignoresCeiling?: boolean
}

interface Cursor {
  stamp: number
  id: string
  seen: string
}

const fields = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'stamp', type: 'timestamp', nullable: false, filterable: true },
  { name: 'name', type: 'string', nullable: true, filterable: true },
  { name: 'amount', type: 'decimal(38,2)', nullable: true },
  { name: 'deleted', type: 'boolean', nullable: false },
] as const

export function scriptedConnector(flaws: SourceFlaws = {}): Connector {
  let times = 0
  const source: Source = {
    options: { parse: (input) => input as JsonObject },
    stampMs: 1000,

    async *objects() {
      yield { name: flaws.unlisted ? 'Other' : 'Thing' }
    },

    async describe() {
      const label = flaws.changesSchema ? `Name ${++times}` : 'Name'
      const shown = fields.map((field) => (field.name === 'name' ? { ...field, label } : { ...field }))
      return { object: 'Thing', fields: shown, keys: ['id'], cursors: ['stamp'], deletes: true }
    },

    plan: (session, ask) => plan(session, ask, flaws),
    read: (session, planned, _range, from) => read(session, planned, from as Cursor | null, flaws),

    async count(session, planned) {
      const question = { ...(planned.request as unknown as Question) }
      return (await counted(session, question)) + (flaws.countsLater ? 1 : 0)
    },
  }
  return {
    name: 'scripted',
    title: 'a made-up system',
    settings: { parse: (input) => input },
    auth: [],
    limits: [],
    errors: [],
    identity: async () => (flaws.changesIdentity ? `org ${++times}` : 'org'),
    source,
  }
}

async function plan(session: Session, ask: Ask, flaws: SourceFlaws): Promise<Plan> {
  const now = flaws.ourClock ? Date.now() : await session.now()
  const settled = Math.floor((now - (flaws.neverSettles ? 0 : ask.settleMs)) / 1000) * 1000
  const ceiling = flaws.ignoresCeiling ? null : ask.ceiling
  const to = Math.min(settled, ceiling ?? Infinity, ask.to && !flaws.ignoresWindow ? Date.parse(ask.to) : Infinity)
  const from = ask.from && !flaws.ignoresWindow ? Date.parse(ask.from) : null
  const ne = ask.filter?.['name']?.ne
  const pushes = (flaws.dropsNullsByNe || flaws.pushesInSecret) && typeof ne === 'string'
  const late = flaws.fullByWindow && ask.mode === 'full' ? to - 86_400_000 * 365 * 2 : null
  const request: Question = {
    from: flaws.excludesFrom && from !== null ? from + 1 : (late ?? from),
    to: flaws.includesBound ? to + 1 : to,
    deleted: (ask.includeDeleted && !flaws.hidesDeletes) || flaws.showsDeletesAlways === true,
    after: null,
    ...(pushes ? { nameNot: ne } : {}),
  }
  return {
    api: 'scripted',
    request: { ...request },
    ranges: [{ id: flaws.badRange ? 'The Range' : 'all', spec: null }],
    bound: new Date(to).toISOString(),
    from: ask.from ?? null,
    cursorField: 'stamp',
    pushed: pushes && !flaws.pushesInSecret ? { name: { ne } } : null,
    order: 'stamp',
    repeats: false,
    counted: (await counted(session, request)) - (flaws.countsWrong ? 1 : 0),
    heldBack: null,
    notes: [],
  }
}

async function* read(session: Session, planned: Plan, from: Cursor | null, flaws: SourceFlaws): AsyncGenerator<Page> {
  const request = planned.request as unknown as Question
  const to = flaws.readsBeyondPlan ? (await session.now()) + 1000 : request.to
  const seen = new Set<string>()
  let cursor = from
  let began = from !== null
  for (;;) {
    const after = cursor && resumed(cursor, began, flaws)
    began = false
    const reply = await page(session, { ...request, to, after }, flaws)
    if (seen.has(reply.cursor) && !flaws.missesRepeats) throw broken('the same cursor came twice')
    seen.add(reply.cursor)
    const last = reply.things.at(-1)
    if (last) cursor = { stamp: last.stamp, id: last.id, seen: reply.cursor }
    const end = !reply.more || (flaws.emptyIsEnd && reply.things.length === 0)
    const next = cursor as unknown as Json
    yield {
      body: reply.things.map((thing) => row(thing, flaws)),
      shape: { format: 'rows' },
      ...(request.deleted && !flaws.deletesAsUpserts && !flaws.showsDeletesAlways ? { op: DELETES } : {}),
      next: end && !flaws.endsWithCursor ? null : (next ?? { stamp: 0, id: '', seen: '' }),
      position: 'somewhere',
    }
    if (end) return
  }
}

const DELETES = { field: 'deleted', map: { true: 'delete', false: 'upsert' } } as const

function resumed({ stamp, id }: Cursor, began: boolean, flaws: SourceFlaws): Question['after'] {
  if (flaws.ordersByStampAlone) return { stamp, id: '~' }
  if (began && flaws.resumesTooLate) return { stamp: stamp + 1, id: '' }
  if (began && flaws.resumesTooEarly) return { stamp, id: id.slice(0, -1) }
  return { stamp, id }
}

function row({ id, stamp, name, amount, deleted }: Reply['things'][number], flaws: SourceFlaws): Row {
  return {
    id,
    stamp: new Date(stamp).toISOString(),
    name: flaws.emptyTextIsNull && name === '' ? null : name,
    amount: flaws.roundsNumbers && amount !== null ? Number(amount).toFixed(2) : amount,
    deleted,
  }
}

async function page(session: Session, question: Question, flaws: SourceFlaws): Promise<Reply> {
  const url = `/page?q=${encodeURIComponent(JSON.stringify(question))}`
  const { body } = await session.http.request({ url, doing: 'read Thing' })
  const text = Buffer.from(body).toString('utf8')
  try {
    return JSON.parse(text) as Reply
  } catch (cause) {
    if (flaws.htmlIsEmpty && text.startsWith('<')) return { things: [], more: false, cursor: text }
    if (flaws.takesHalf && text.startsWith('{')) return { things: [], more: false, cursor: text }
    throw broken('the page is not whole', cause)
  }
}

async function counted(session: Session, question: Question): Promise<number> {
  const url = `/count?q=${encodeURIComponent(JSON.stringify(question))}`
  const { body } = await session.http.request({ url, doing: 'count Thing' })
  return Number(Buffer.from(body).toString('utf8'))
}

function broken(reason: string, cause?: unknown): ConnectorError {
  return new ConnectorError({ connector: 'scripted', doing: 'read Thing', kind: 'answer', reason, cause })
}
