/** What the sandbox's own tests need of a client: a login and a GET. Nothing of it is Lakeward's. */
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'

export interface Page {
  totalSize: number
  done: boolean
  nextRecordsUrl?: string
  records: Record<string, unknown>[]
}

export interface Client {
  token: string
  instanceUrl: string
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** Below `DATA`; a body that is no text is sent as JSON. */
  send(method: string, path: string, body?: unknown, type?: string): Promise<Response>
  query(soql: string, headers?: Record<string, string>): Promise<Page>
  queryAll(soql: string): Promise<Page>
  more(page: Page): Promise<Page>
  /** Every record of every page. */
  read(soql: string): Promise<Record<string, unknown>[]>
}

export const DATA = '/services/data/v67.0'

export function tokenRequest(sandbox: Sandbox, form: Record<string, string>): Promise<Response> {
  const app = { client_id: 'sandbox-client', client_secret: 'sandbox-secret' }
  return fetch(`${sandbox.url}/services/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...app, ...form }),
  })
}

export async function login(sandbox: Sandbox): Promise<Client> {
  const answer = await tokenRequest(sandbox, { grant_type: 'client_credentials' })
  const { access_token: token, instance_url: instanceUrl } = (await answer.json()) as Record<string, string>
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(instanceUrl + path, { headers: { authorization: `Bearer ${token}`, ...headers } })
  const page = async (path: string, headers?: Record<string, string>): Promise<Page> => {
    const response = await get(path, headers)
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as Page
  }
  const query = (soql: string, headers?: Record<string, string>): Promise<Page> =>
    page(`${DATA}/query?q=${encodeURIComponent(soql)}`, headers)
  const more = (from: Page): Promise<Page> => page(from.nextRecordsUrl ?? '')
  return {
    token: token!,
    instanceUrl: instanceUrl!,
    get,
    send: (method, path, body, type = 'application/json') =>
      fetch(`${instanceUrl}${DATA}/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    query,
    queryAll: (soql) => page(`${DATA}/queryAll?q=${encodeURIComponent(soql)}`),
    more,
    async read(soql) {
      let from = await query(soql)
      const records = [...from.records]
      while (!from.done) {
        from = await more(from)
        records.push(...from.records)
      }
      return records
    },
  }
}
