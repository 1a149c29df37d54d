/** A session on a sandbox org, made of the real parts. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ask, JsonObject, ObjectSchema, Page, Plan, Session } from '../../connectors/connector.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { createCredentials } from '../../worker/credentials.ts'
import { makeSession } from '../../worker/session.ts'
import { directoryState } from '../../worker/installation-state.ts'
import { createWires } from '../../worker/wires.ts'

export const source = salesforce.source!

export interface Org {
  session: Session
  notes: string[]
  ask(object: string, more?: Partial<Ask>): Promise<Ask>
  close(): Promise<void>
}

export function connect(loginUrl: string, auth: Record<string, unknown> = {}): Org {
  const settings = salesforce.settings.parse({ loginUrl }) as JsonObject
  const wires = createWires({ headersMs: 5_000, bodyMs: 5_000 })
  const directory = mkdtempSync(join(tmpdir(), 'lakeward-org-'))
  const credentials = createCredentials({
    state: () => Promise.resolve(directoryState(directory, Buffer.alloc(32, 7))),
    wires,
    env: { SF_SECRET: 'sandbox-secret' },
    login: (connection) =>
      Promise.resolve({
        connection,
        connector: salesforce,
        settings,
        auth: { type: 'client_credentials', clientId: 'sandbox-client', clientSecret: { env: 'SF_SECRET' }, ...auth },
        allowInsecure: false,
        directory,
      }),
  })
  const notes: string[] = []
  const session = makeSession({
    connection: 'crm',
    connector: salesforce,
    settings,
    authType: 'client_credentials',
    credentials,
    wires,
    signal: new AbortController().signal,
    beat: () => {},
    note: (text) => void notes.push(text),
    retry: { firstMs: 5 },
  })
  const schemas = new Map<string, ObjectSchema>()
  return {
    session,
    notes,
    async ask(object, more = {}) {
      const schema = more.schema ?? schemas.get(object) ?? (await source.describe(session, object, {}))
      if (!more.schema) schemas.set(object, schema)
      return {
        object,
        options: {},
        schema,
        fields: schema.fields.map(({ name }) => name),
        filter: null,
        mode: 'incremental',
        includeDeleted: schema.deletes,
        cursorField: null,
        state: null,
        ceiling: null,
        settleMs: 0,
        parallel: 1,
        ...more,
      }
    },
    close: () => wires.close(),
  }
}

export type Values = Record<string, unknown> & { Id: string }

export function recordsOf(page: Page): Values[] {
  const { records } = JSON.parse(Buffer.from(page.body as Uint8Array).toString('utf8')) as { records: Values[] }
  return records
}

export async function readAll(session: Session, plan: Plan, from: Page['next'] = null) {
  const pages: { records: Values[]; next: Page['next']; position: string }[] = []
  for await (const page of source.read(session, plan, plan.ranges[0]!, from)) {
    pages.push({ records: recordsOf(page), next: page.next, position: page.position })
  }
  return { pages, records: pages.flatMap(({ records }) => records) }
}

export const idsOf = (records: Values[]): string[] => records.map(({ Id }) => Id)
