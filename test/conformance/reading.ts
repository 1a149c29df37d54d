/** Reads a source as the core does: pages from a cursor, decoded by the plan's schema, and told as text. */
import { decodePage } from '../../connectors/records/decode.ts'
import { textReader } from '../../connectors/records/cells.ts'
import { DELETE } from '../../connectors/records/record-builder.ts'
import type {
  Ask,
  Connector,
  Field,
  Json,
  ObjectSchema,
  Page,
  Plan,
  Range,
  Session,
  Source,
} from '../../connectors/connector.ts'
import { canonical } from './canonical.ts'
import type { SourceHarness, TrueRecord } from './harness.ts'

export interface Got {
  key: string
  stamp: string | null
  deleted: boolean
  values: Record<string, string | null>
}

export interface GotPage {
  records: Got[]
  next: Json | null
  position: string
}

let exports = 0

/** Plans are stored: what does not survive that is not in them. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

/** No test has so many: whoever reads on does not see the end. */
const MOST_PAGES = 200

export class Reader {
  readonly connector: Connector
  readonly source: Source
  readonly harness: SourceHarness
  readonly signal = new AbortController()
  private described: Promise<ObjectSchema> | undefined

  constructor(connector: Connector, harness: SourceHarness) {
    if (!connector.source) throw new Error(`${connector.name} has no source`)
    this.connector = connector
    this.source = connector.source
    this.harness = harness
  }

  async session(): Promise<Session> {
    return this.harness.session(this.signal.signal)
  }

  /** As the source described it first; a case that changes fields does not exist yet. */
  schema(): Promise<ObjectSchema> {
    return (this.described ??= this.describe())
  }

  async describe(): Promise<ObjectSchema> {
    const { object, options, cursorField, keys } = this.harness
    const schema = await this.source.describe(await this.session(), object, this.options(options))
    return { ...schema, ...(keys && { keys }), ...(cursorField !== undefined && { cursors: [cursorField] }) }
  }

  async plan(ask: Partial<Ask> = {}): Promise<Plan> {
    const schema = ask.schema ?? (await this.schema())
    const plan = await this.source.plan(await this.session(), {
      object: this.harness.object,
      options: this.options(this.harness.options),
      schema,
      fields: schema.fields.map(({ name }) => name),
      filter: null,
      mode: 'incremental',
      includeDeleted: false,
      cursorField: schema.cursors[0] ?? null,
      state: null,
      ceiling: null,
      settleMs: SETTLE_MS,
      parallel: 1,
      ...ask,
    })
    return stored(await this.exported(stored(plan)))
  }

  /** With the ranges that its job gives, as the core has them before it reads. */
  private async exported(plan: Plan): Promise<Plan> {
    if (!plan.job) return plan
    const session = await this.session()
    const { job } = this.source
    const ref = stored(await job!.submit(session, plan, `conformance-${++exports}`))
    for (;;) {
      const state = await job!.poll(session, ref)
      if ('ready' in state) return { ...plan, ranges: state.ready }
      if ('refused' in state) throw new Error(state.refused)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Every range from its start, one after the other. */
  async read(plan: Plan, fields?: string[]): Promise<GotPage[]> {
    const pages: GotPage[] = []
    for (const range of plan.ranges) for await (const page of this.pages(plan, range, null, fields)) pages.push(page)
    return pages
  }

  async *pages(plan: Plan, range: Range, from: Json | null, fields?: string[]): AsyncGenerator<GotPage> {
    const schema = await this.schema()
    const wanted = schema.fields.filter(({ name }) => !fields || fields.includes(name))
    const session = await this.session()
    let count = 0
    for await (const page of this.source.read(session, plan, range, from)) {
      if (++count > MOST_PAGES) throw new Error(`more than ${MOST_PAGES} pages and no end`)
      const next = page.next === null ? null : (JSON.parse(JSON.stringify(page.next)) as Json)
      yield { records: records(page, wanted, schema, plan.cursorField), next, position: page.position }
    }
  }

  /** What a run of this plan must bring. */
  async expected(plan: Plan, includeDeleted = false): Promise<Got[]> {
    const schema = await this.schema()
    const stampOf = schema.fields.find(({ name }) => name === plan.cursorField)
    const all = (await this.harness.truth()).map((one) => told(one, schema, plan.cursorField))
    return all.filter(({ stamp, deleted }) => {
      if (deleted && !includeDeleted) return false
      if (!stampOf || stamp === null) return true
      const at = Date.parse(stamp)
      return (plan.from === null || at >= Date.parse(plan.from)) && (plan.bound === null || at < Date.parse(plan.bound))
    })
  }

  /** Keys that a run with this filter brings. */
  async keysOf(ask: Partial<Ask> & { fields: string[] }): Promise<{ plan: Plan; keys: Set<string> }> {
    const plan = await this.plan(ask)
    const pages = await this.read(plan, ask.fields)
    return { plan, keys: new Set(pages.flatMap((page) => page.records.map(({ key }) => key))) }
  }

  private options(options: SourceHarness['options']): SourceHarness['options'] {
    return this.source.options.parse(options)
  }
}

/** Held back behind the source's clock in every case that does not say otherwise. */
export const SETTLE_MS = 60_000

function records(page: Page, fields: Field[], schema: ObjectSchema, cursorField: string | null): Got[] {
  const found: Got[] = []
  for (const { batch, ops, rejects } of decodePage(page, fields)) {
    if (rejects.length > 0) throw new Error(`a record does not fit its schema: ${rejects[0]!.reason}`)
    const readers = fields.map(({ type }) => textReader(type))
    for (let row = 0; row < batch.rows; row++) {
      const values: Got['values'] = {}
      fields.forEach(({ name, type }, at) => {
        const text = readers[at]!(batch.columns[at]!, row)
        values[name] = text === null ? null : canonical(type, text)
      })
      found.push({
        key: keyOf(values, schema),
        stamp: stampIn(values, cursorField),
        deleted: ops?.[row] === DELETE,
        values,
      })
    }
  }
  return found
}

export function told({ values, deleted }: TrueRecord, schema: ObjectSchema, cursorField: string | null): Got {
  const same: Got['values'] = {}
  for (const { name, type } of schema.fields) {
    const text = values[name]
    if (text === undefined) throw new Error(`the truth knows nothing of ${name}`)
    same[name] = text === null ? null : canonical(type, text)
  }
  return { key: keyOf(same, schema), stamp: stampIn(same, cursorField), deleted, values: same }
}

function keyOf(values: Got['values'], { keys }: ObjectSchema): string {
  return keys.map((name) => values[name]).join('\u0000')
}

function stampIn(values: Got['values'], cursorField: string | null): string | null {
  return cursorField === null ? null : (values[cursorField] ?? null)
}
