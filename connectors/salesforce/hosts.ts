/**
 * Addresses of Salesforce: where one can log in, and which addresses that people copy from their browser are meant for
 * something else. Pure.
 * https://help.salesforce.com/s/articleView?id=xcloud.domain_name_url_format_changes_when_enable_enhanced_domains.htm
 */
import { words } from '../strict.ts'

/** The hosts that serve every org: production, and sandboxes. */
const shared = new Set(['login.salesforce.com', 'test.salesforce.com'])

/** First names of hosts at salesforce.com that belong to no org. */
const notOrgs = new Set(['salesforce', 'www', 'my', 'help', 'developer', 'trailhead', 'trust', 'welcome', 'api'])

/** Hosts of an org's screens, whose part before the suffix is that of its My Domain. */
const screens = ['.lightning.force.com', '.my.salesforce-setup.com']

/** What is wrong with the host of `loginUrl`, with advice on a second line; undefined: nothing that we know of. */
export function wrongHost({ hostname }: URL): string | undefined {
  const screen = screens.find((suffix) => hostname.endsWith(suffix))
  if (screen) {
    const domain = hostname.slice(0, -screen.length)
    return words(
      `${hostname} is the address of Salesforce's screens`,
      `logins are answered at https://${domain}.my.salesforce.com`,
    )
  }
  if (/(^|\.)(force\.com|my\.site\.com|salesforce-sites\.com|documentforce\.com)$/.test(hostname)) {
    return words(`${hostname} is the address of a site or a page, not of an org's login`, ownDomain)
  }
  if (!/(^|\.)salesforce\.com$/.test(hostname) || shared.has(hostname)) return undefined
  if (hostname.endsWith('.my.salesforce.com')) return undefined
  if (/^[a-z]{2,4}\d+\.salesforce\.com$/.test(hostname)) {
    return words(`${hostname} is one of Salesforce's own instances, which an org may leave`, ownDomain)
  }
  const [name = ''] = hostname.split('.')
  const meant = notOrgs.has(name) ? '' : `perhaps https://${name}.my.salesforce.com is meant; `
  return words(`${hostname} is no address of an org`, `${meant}${ownDomain}`)
}

const ownDomain = 'Setup > My Domain tells the address: https://<your domain>.my.salesforce.com'

/** `login` and `test` serve every org; client credentials are refused there. */
export function isShared(loginUrl: string): boolean {
  return shared.has(new URL(loginUrl).hostname)
}

/** `acme--dev.sandbox.my.salesforce.com`, scratch orgs, the older `acme--dev.my` and `acme--dev.cs12.my`. */
export function isSandbox(loginUrl: string): boolean {
  const { hostname } = new URL(loginUrl)
  if (hostname === 'test.salesforce.com') return true
  return /(--[a-z0-9-]+|\.sandbox|\.scratch)(\.[a-z]+\d+)?\.my\.salesforce\.com$/.test(hostname)
}

/**
 * A JWT is addressed to the one of two hosts that stands for the org's kind, also where it is sent to a My Domain.
 * https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
 */
export function audienceOf(loginUrl: string): string {
  return isSandbox(loginUrl) ? 'https://test.salesforce.com' : 'https://login.salesforce.com'
}
