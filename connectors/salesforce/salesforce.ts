/** Salesforce: what it takes to reach an org. Facts and their sources are in README.md beside this file. */
import type { Connector, Limit } from '../connector.ts'
import { parsed, strict } from '../strict.ts'
import { errors, errorShapes } from './error-table.ts'
import { wrongHost } from './hosts.ts'
import { account, auth, identity } from './login.ts'
import { source } from './source.ts'
import { sink } from './write/sink.ts'

/** Summer '26; 31.0 to 40.0 go in 2028, older ones are gone. */
const API_VERSION = 'v67.0'

const settings = strict('a Salesforce connection', {
  loginUrl: parsed(
    'address of your org: https://<your domain>.my.salesforce.com',
    (written) => {
      const url = URL.canParse(written) ? new URL(written) : null
      if (!url || !['https:', 'http:'].includes(url.protocol)) return { refused: 'must be an https address' }
      const wrong = wrongHost(url)
      if (wrong) return { refused: wrong }
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

const limits: Limit[] = [
  {
    name: 'requests per day',
    header: { name: 'sforce-limit-info', pattern: 'api-usage={used}/{max}' },
    daily: true,
    parallel: 16,
  },
]

export const salesforce: Connector = {
  name: 'salesforce',
  title: 'Salesforce: objects of an org, by pages or Bulk jobs',
  settings,
  auth,
  limits,
  errors,
  errorShapes,
  baseUrl: '{instance_url}',
  // Needs no login. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_versions.htm
  clockUrl: '/services/data',
  identity,
  account,
  source,
  destination: { record: sink },
}
