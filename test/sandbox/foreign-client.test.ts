/** A client that nobody here wrote takes the sandbox for Salesforce. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { orSkip, pythonVenv } from '../components.ts'
import { login } from './org-client.ts'

const SCRIPT = `
import json, sys
from urllib.parse import urlsplit
from simple_salesforce import Salesforce, SalesforceExpiredSession
from simple_salesforce import SalesforceMalformedRequest, SalesforceResourceNotFound
import requests

ask = json.loads(sys.stdin.read())
# The client speaks https to a host name only: the transport leads to the sandbox's port.
class ToSandbox(requests.adapters.HTTPAdapter):
    def send(self, request, **more):
        request.url = ask['url'] + request.path_url
        return super().send(request, **more)

session = requests.Session()
session.mount('https://', ToSandbox())
def client(token):
    return Salesforce(instance=urlsplit(ask['url']).netloc, session_id=token, session=session, version='60.0')

sf = client(ask['token'])
out = {}
described = sf.Account.describe()
out['fields'] = [f['name'] for f in described['fields']]
out['queryable'] = {o['name']: o['queryable'] for o in sf.describe()['sobjects']}
names = ','.join(out['fields'])
live = sf.query_all('SELECT ' + names + ' FROM Account ORDER BY SystemModstamp, Id')
out['live'] = [r['Id'] for r in live['records']]
out['total'] = live['totalSize']
out['all'] = [[r['Id'], r['IsDeleted'], r['Name']] for r in sf.query_all_iter('SELECT Id, IsDeleted, Name FROM Account', include_deleted=True)]
out['pages'] = sum(1 for _ in sf.query_all_iter("SELECT Id FROM Account WHERE Name LIKE '%a%'"))
out['limits'] = sf.limits()['DailyApiRequests']['Max']
out['usage'] = sf.api_usage['api-usage'].total
out['record'] = sf.Account.get(out['live'][0])['Name']
out['quoted'] = sf.query("SELECT Id FROM Contact WHERE LastName = 'O\\\\'Brien & \\"Sons\\" \\\\\\\\ Co'")['totalSize']
for key, what in {'malformed': lambda: sf.query('SELECT Nope FROM Account'), 'expired': lambda: client('x').limits(), 'missing': lambda: sf.Nope__c.describe()}.items():
    try:
        what()
    except (SalesforceExpiredSession, SalesforceMalformedRequest, SalesforceResourceNotFound) as error:
        out[key] = [type(error).__name__, error.content[0]['errorCode']]
print(json.dumps(out))
`

it(
  'simple-salesforce describes, reads pages and deleted rows, and knows our errors',
  { timeout: 300_000 },
  async (context) => {
    const python = await orSkip(pythonVenv(['simple-salesforce==1.12.10']), 'the check with simple-salesforce')
    if (!python) {
      context.skip()
      return
    }
    const sandbox = await startSalesforce({ accounts: 4500, opportunities: 10, contacts: 80 })
    try {
      const { token } = await login(sandbox)
      const running = promisify(execFile)(python, ['-c', SCRIPT], { maxBuffer: 64 << 20 })
      running.child.stdin?.end(JSON.stringify({ url: sandbox.url, token }))
      const out = JSON.parse((await running).stdout) as Record<string, unknown>

      const truth = [...sandbox.control.truth('Account', { includeDeleted: true })]
      const live = truth.filter((row) => row['IsDeleted'] === 'false').map((row) => row['Id'])
      expect(out['fields']).toEqual(Object.keys(truth[0]!))
      expect(out['queryable']).toMatchObject({ Account: true, AccountChangeEvent: false })
      expect(new Set(out['live'] as string[])).toEqual(new Set(live))
      expect(out['live']).toHaveLength(live.length)
      expect(out['total']).toBe(live.length)
      const all = (out['all'] as [string, boolean, string][]).toSorted(([a], [b]) => (a < b ? -1 : 1))
      expect(all).toEqual(truth.map((row) => [row['Id'], row['IsDeleted'] === 'true', row['Name']]))
      expect(out).toMatchObject({
        limits: 100_000,
        usage: 100_000,
        record: truth.find((row) => row['Id'] === (out['live'] as string[])[0])!['Name'],
        malformed: ['SalesforceMalformedRequest', 'INVALID_FIELD'],
        expired: ['SalesforceExpiredSession', 'INVALID_SESSION_ID'],
        missing: ['SalesforceResourceNotFound', 'NOT_FOUND'],
      })
      expect(out['quoted']).toBe(
        [...sandbox.control.truth('Contact')].filter((row) => row['LastName'] === `O'Brien & "Sons" \\ Co`).length,
      )
      // Pages, not one big answer; long text makes them smaller.
      expect(sandbox.control.counts()['queryMore']).toBeGreaterThanOrEqual(6)
    } finally {
      await sandbox.stop()
    }
  },
)
