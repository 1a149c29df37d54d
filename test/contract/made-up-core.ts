/** The least that a core does with a source, for connectors that exist in tests only. */
import type {
  Ask,
  HttpRequest,
  Json,
  JsonObject,
  Page,
  Plan,
  Range,
  Session,
  Source,
} from '../../connectors/connector.ts'

/** A session whose vendor is a function. */
export function madeUpSession(answer: (request: HttpRequest) => unknown, settings: JsonObject = {}): Session {
  return {
    connection: 'made-up',
    settings,
    signal: new AbortController().signal,
    now: async () => Date.parse('2026-01-01T00:00:00Z'),
    beat: () => {},
    note: () => {},
    http: {
      request: async (request) => ({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(answer(request))) }),
      token: async () => undefined,
    },
  }
}

export function madeUpAsk(object: string, state: Json = null): Ask {
  const fields = [{ name: 'id', type: 'string' as const, nullable: false }]
  const schema = { object, fields, keys: ['id'], cursors: [], deletes: false }
  const how = { options: {}, fields: ['id'], filter: null, mode: 'incremental' as const, includeDeleted: false }
  return { object, schema, ...how, cursorField: null, state, ceiling: null, settleMs: 0, parallel: 4 }
}

/** A plan that says nothing but what it is asked to. */
export function madeUpPlan(ranges: Range[], rest: Partial<Plan> = {}): Plan {
  const empty = { bound: null, from: null, cursorField: null, pushed: null, counted: null, heldBack: null, notes: [] }
  return { api: 'made-up', request: null, ranges, order: 'none', repeats: false, ...empty, ...rest }
}

export interface Ran {
  plan: Plan
  /** Of its job; null: it has none. */
  ref: Json
  /** Ids in the order they were read. */
  ids: string[]
  /** The lane's next state. */
  state: Json
}

/** One run: plan, job if there is one, every range to its end, the next state. Stored values pass through JSON. */
export async function run(source: Source, session: Session, ask: Ask): Promise<Ran> {
  let plan = stored(await source.plan(session, ask))
  let ref: Json = null
  if (source.job && plan.job) {
    ref = stored((await source.job.find?.(session, plan, 'token')) ?? (await source.job.submit(session, plan, 'token')))
    let answer = await source.job.poll(session, ref)
    while ('waitMs' in answer) answer = await source.job.poll(session, ref)
    if ('refused' in answer) throw new Error(answer.refused)
    plan = { ...plan, ranges: stored(answer.ready) }
  }
  const ids: string[] = []
  const ends: Json[] = []
  for (const range of plan.ranges) {
    const pages = await pagesFrom(source, session, plan, range, null)
    ids.push(...pages.flatMap(idsOf))
    ends.push(pages.at(-1)?.end ?? null)
    // Every cursor is exact: reading on from it gives what came after it, and nothing else.
    for (const [at, page] of pages.entries()) {
      if (page.next === null) continue
      const rest = await pagesFrom(source, session, plan, range, stored(page.next))
      if (
        rest.flatMap(idsOf).join() !==
        pages
          .slice(at + 1)
          .flatMap(idsOf)
          .join()
      )
        throw new Error('a cursor is not exact')
    }
  }
  return { plan, ref, ids, state: stored((await source.finish?.(session, plan, stored(ends))) ?? ask.state) }
}

async function pagesFrom(source: Source, session: Session, plan: Plan, range: Range, from: Json): Promise<Page[]> {
  const pages: Page[] = []
  for await (const page of source.read(session, plan, range, from)) pages.push(page)
  return pages
}

function idsOf({ body, shape }: Page): string[] {
  if (!(body instanceof Uint8Array)) return body.map(({ id }) => id as string)
  const lines = Buffer.from(body).toString().trim().split('\n')
  if (shape.format === 'csv')
    return lines.slice(shape.header ? 1 : 0).map((line) => line.split(shape.delimiter)[0] ?? '')
  if (shape.format === 'jsonl') return lines.map((line) => (JSON.parse(line) as { id: string }).id)
  throw new Error(`these tests do not read ${shape.format}`)
}

/** As it comes back from where the core keeps it. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

export const body = (text: string): Uint8Array => new TextEncoder().encode(text)
export const anything = { parse: (input: unknown): JsonObject => input as JsonObject }
export const answerOf = async <T>(session: Session, url: string, method?: 'POST' | 'DELETE'): Promise<T> => {
  const answer = await session.http.request({ url, doing: `ask ${url}`, ...(method ? { method } : {}) })
  return JSON.parse(Buffer.from(answer.body).toString()) as T
}
