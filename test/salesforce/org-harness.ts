/** A sandbox org as the conformance suite wants it, reached through the product's own sessions. */
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import type { JsonObject, Session } from '../../connectors/connector.ts'
import { createCredentials } from '../../worker/credentials.ts'
import { makeSession } from '../../worker/session.ts'
import type { StateStore } from '../../worker/state.ts'
import { createWires, type Wires } from '../../worker/wires.ts'
import type { SourceHarness, Trouble } from '../conformance/index.ts'
import type { BulkBehaviour } from '../sandboxes/salesforce/bulk-query.ts'
import type { FaultAction } from '../sandboxes/salesforce/faults.ts'
import { type SandboxOptions, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'

/** Requests for records: not those that count, nor the sample that a job's results are measured by. */
const PAGES = String.raw`^GET /services/data/[^/]+/(query(All)?(/0r8|\?q=SELECT (?!COUNT))|jobs/query/\w+/results\?(?!maxRecords=500$))`

const FAULTS: Record<Trouble, FaultAction> = {
  expired: { expireTokens: true },
  throttled: { answer: { status: 429, body: '[{"message":"Too many requests","errorCode":"TOO_MANY_REQUESTS"}]' } },
  'throttled for 77 s': { answer: { status: 429, headers: { 'retry-after': '77' } } },
  unavailable: { answer: { status: 503, body: '[{"message":"Server is busy","errorCode":"SERVER_UNAVAILABLE"}]' } },
  html: { html: 200 },
  truncated: { truncate: 3000 },
  cut: { cut: 3000 },
  'empty page': { emptyPage: true },
  'repeated cursor': { repeatCursor: true },
  stall: { stall: true },
}

export async function openOrg(
  object: string,
  options: JsonObject = {},
  org: SandboxOptions = {},
  bulk: Partial<BulkBehaviour> = {},
): Promise<SourceHarness> {
  const sandbox = await startSalesforce({
    accounts: 1000,
    opportunities: 700,
    contacts: 10,
    ties: 260,
    pageRows: 200,
    ...org,
  })
  const { control } = sandbox
  control.bulk(bulk)
  const states = memoryState()
  const open: Wires[] = []
  return {
    object,
    options,
    session(signal): Session {
      const wires = createWires({ headersMs: 10_000, bodyMs: 5000 })
      open.push(wires)
      return session(sandbox.url, states, wires, signal)
    },
    truth: () =>
      Promise.resolve(
        Array.from(control.truth(object, { includeDeleted: true }), (values) => ({
          values,
          deleted: values['IsDeleted'] === 'true',
        })),
      ),
    now: () => control.now(),
    async advance(ms) {
      control.clock({ offsetMs: control.now() - Date.now() + ms })
    },
    async trouble(trouble, { skip, times }) {
      control.fault({ match: PAGES, skip, times, do: FAULTS[trouble] })
    },
    async calm() {
      control.clearFaults()
    },
    insert: async (count, stamp) => control.insert({ object, count, stamp }).ids,
    async insertLate(count, stamp) {
      const { ids } = control.insert({ object, count, stamp, hidden: true })
      return { keys: ids, show: async () => void control.show({ object, ids }) }
    },
    async update(keys, stamp) {
      control.update({ object, ids: keys, values: {}, stamp })
    },
    async remove(keys, stamp) {
      control.delete({ object, ids: keys, stamp })
    },
    async close() {
      control.clearFaults()
      await Promise.all(open.map((wires) => wires.close()))
      await sandbox.stop()
    },
  }
}

function session(loginUrl: string, state: StateStore, wires: Wires, signal: AbortSignal): Session {
  const settings = salesforce.settings.parse({ loginUrl }) as JsonObject
  const auth = { type: 'client_credentials', clientId: 'sandbox-client', clientSecret: { env: 'SF_SECRET' } }
  const credentials = createCredentials({
    state: () => Promise.resolve(state),
    wires,
    env: { SF_SECRET: 'sandbox-secret' },
    login: (connection) =>
      Promise.resolve({ connection, connector: salesforce, settings, auth, allowInsecure: false, directory: '.' }),
  })
  return makeSession({
    connection: 'crm',
    connector: salesforce,
    settings,
    authType: auth.type,
    credentials,
    wires,
    signal,
    beat: () => {},
    note: () => {},
    retry: { attempts: 3, firstMs: 1 },
  })
}

function memoryState(): StateStore {
  const documents = new Map<string, { version: number; value: JsonObject }>()
  return {
    read: (name) => Promise.resolve(documents.get(name) ?? { version: 0, value: null }),
    write(name, value, after) {
      if ((documents.get(name)?.version ?? 0) !== after) return Promise.resolve(false)
      documents.set(name, { version: after + 1, value })
      return Promise.resolve(true)
    },
  }
}
