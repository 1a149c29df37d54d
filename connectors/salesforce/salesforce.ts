/** Salesforce: what it takes to reach an org. Facts and their sources are in README.md beside this file. */
import type { AuthKind, Connector, Limit, Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { parsed, strict } from '../strict.ts'
import { errors, errorShapes } from './error-table.ts'
import { source } from './source.ts'

/** Summer '26; 31.0 to 40.0 go in 2028, older ones are gone. */
const API_VERSION = 'v67.0'

const settings = strict('a Salesforce connection', {
  loginUrl: parsed(
    'address of your org: https://<your domain>.my.salesforce.com',
    (written) => {
      const url = URL.canParse(written) ? new URL(written) : null
      if (!url || !['https:', 'http:'].includes(url.protocol)) return { refused: 'must be an https address' }
      if (url.username || url.password || url.search || url.hash || url.pathname !== '/') {
        return { refused: `must be an address alone, such as ${url.origin}` }
      }
      return { value: url.origin }
    },
    { pattern: '^https?://' },
  ),
  apiVersion: parsed(
    'version of the REST API, in quotes: "67.0"',
    (written) => {
      const version = /^v?(\d{2,3})\.0$/.exec(written)?.[1]
      if (!version) return { refused: `must look like "${API_VERSION.slice(1)}"` }
      if (Number(version) < 41)
        return { refused: `version ${version}.0 is too old: 41.0 is the first that is supported` }
      return { value: `v${version}.0` }
    },
    { pattern: '^v?[0-9]{2,3}\\.0$' },
  ).prefault(API_VERSION),
})

/** https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flows.htm */
const login = { tokenUrl: '{loginUrl}/services/oauth2/token', send: 'bearer', keep: ['instance_url', 'id'] } as const
const auth: AuthKind[] = [
  { type: 'client_credentials', ...login, keep: [...login.keep] },
  { type: 'refresh_token', ...login, keep: [...login.keep] },
]

const limits: Limit[] = [
  { name: 'requests per day', header: { name: 'sforce-limit-info', pattern: 'api-usage={used}/{max}' }, parallel: 16 },
]

export const salesforce: Connector = {
  name: 'salesforce',
  title: 'Salesforce: objects of an org, over its REST API',
  settings,
  auth,
  limits,
  errors,
  errorShapes,
  baseUrl: '{instance_url}',
  // Needs no login. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_versions.htm
  clockUrl: '/services/data',
  identity,
  source,
}

/** Organization and user: another user of the same org may see other records. */
async function identity(session: Session): Promise<string> {
  const id = (await session.http.token('id')) ?? ''
  const [, organization, user] = /\/id\/(\w+)\/(\w+)$/.exec(id) ?? []
  if (organization && user) return `${organization}/${user}`
  // https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_userinfo_endpoint.htm
  const doing = 'ask who we are'
  const { body } = await session.http.request({ url: '/services/oauth2/userinfo', accept: 'json', doing })
  const said = JSON.parse(Buffer.from(body).toString('utf8')) as { organization_id?: string; user_id?: string }
  if (said.organization_id && said.user_id) return `${said.organization_id}/${said.user_id}`
  throw new ConnectorError({
    connector: 'salesforce',
    doing,
    kind: 'answer',
    reason: 'the answer names no organization and user',
  })
}
