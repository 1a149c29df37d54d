/** Reads a source of files as the core does: describe, plan, every range from any cursor, decode, the next state. */
import type { Ask, Connector, Json, JsonObject, Page, Plan, Range, Session } from '../../connectors/connector.ts'
import { completeFileKeys, type WrittenFileKeys } from '../../connectors/flow-files.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import type { Reject } from '../../connectors/records/quarantine.ts'
import { textRows } from '../records/tables.ts'

export interface FileRun {
  rows: Record<string, string | null>[]
  rejects: Reject[]
  pages: number
  state: Json
  plan: Plan
  notes: string[]
}

export class FileReader {
  readonly connector: Connector
  readonly settings: JsonObject
  readonly aws: Session['aws']
  readonly notes = new Set<string>()

  constructor(connector: Connector, settings: JsonObject, aws?: Session['aws']) {
    this.connector = connector
    this.settings = connector.settings.parse(settings) as JsonObject
    this.aws = aws
  }

  get source() {
    return this.connector.source!
  }

  session(signal = new AbortController().signal): Session {
    const { settings, aws, notes } = this
    const note = (text: string): void => void notes.add(text)
    const http = { request: () => Promise.reject(new Error('no HTTP')), token: () => Promise.resolve(undefined) }
    const now = () => Promise.resolve(Date.now())
    return { connection: 'in', settings, http, ...(aws && { aws }), signal, now, beat: () => {}, note }
  }

  async plan(object: string, written: WrittenFileKeys, more: Partial<Ask> = {}): Promise<Plan> {
    const options = completeFileKeys(written, {}) as unknown as JsonObject
    const schema = await this.source.describe(this.session(), object, options)
    const plan = await this.source.plan(this.session(), {
      object,
      options,
      schema,
      fields: schema.fields.map(({ name }) => name),
      filter: null,
      mode: 'incremental',
      includeDeleted: false,
      cursorField: null,
      state: null,
      ceiling: null,
      settleMs: 0,
      parallel: 1,
      ...more,
    })
    return stored(plan)
  }

  async run(object: string, written: WrittenFileKeys, more: Partial<Ask> = {}): Promise<FileRun> {
    return this.read(await this.plan(object, written, more))
  }

  async read(plan: Plan): Promise<FileRun> {
    const { schema } = (plan.request as unknown as { keys: Required<WrittenFileKeys> }).keys
    const found: FileRun = { rows: [], rejects: [], pages: 0, state: null, plan, notes: [] }
    for (const range of plan.ranges) {
      for await (const page of this.pages(plan, range, null)) {
        found.pages++
        for (const { batch, rejects } of decodePage(page, fieldsOf(schema))) {
          found.rows.push(...textRows(batch))
          found.rejects.push(...rejects)
        }
      }
    }
    found.state = stored(await this.source.finish!(this.session(), plan, []))
    found.notes = [...this.notes]
    return found
  }

  async *pages(plan: Plan, range: Range, from: Json): AsyncGenerator<Page> {
    for await (const page of this.source.read(this.session(), plan, range, from)) yield withStored(page)
  }
}

const fieldsOf = (schema: NonNullable<WrittenFileKeys['schema']>) =>
  Object.entries(schema).map(([name, type]) => ({ name, type, nullable: true }))

const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const withStored = (page: Page): Page => ({ ...page, next: stored(page.next) })
