/** Logging in to Salesforce: the grants, where each works, and who is logged in then. */
import { z } from 'zod'
import type { AuthKind, JsonObject, Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { askJsonAt } from './objects.ts'
import { words } from '../strict.ts'
import { audienceOf, isShared } from './hosts.ts'

/** https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flows.htm */
const login = (): Pick<AuthKind, 'tokenUrl' | 'send' | 'keep'> => ({
  tokenUrl: '{loginUrl}/services/oauth2/token',
  send: 'bearer',
  keep: ['instance_url', 'id'],
})

const addressOf = ({ loginUrl }: JsonObject): string => (typeof loginUrl === 'string' ? loginUrl : '')

export const auth: AuthKind[] = [
  {
    type: 'client_credentials',
    ...login(),
    // https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm
    unfit: (settings) =>
      isShared(addressOf(settings))
        ? words(
            `client_credentials is refused at ${new URL(addressOf(settings)).hostname}`,
            "set loginUrl to your org's own address: https://<your domain>.my.salesforce.com (Setup > My Domain)",
          )
        : undefined,
  },
  { type: 'refresh_token', ...login() },
  {
    type: 'authorization_code',
    ...login(),
    authorizeUrl: '{loginUrl}/services/oauth2/authorize',
    scopes: ['api', 'refresh_token'],
  },
  {
    type: 'jwt_bearer',
    ...login(),
    audience: (settings) => audienceOf(addressOf(settings)),
    unfit: (_, { clientId }) =>
      clientId === undefined
        ? words("'clientId' is missing", 'Salesforce takes the consumer key of the app as the issuer of the assertion')
        : undefined,
  },
]

/** Organization and user: another user of the same org may see other records. */
export async function identity(session: Session): Promise<string> {
  const id = (await session.http.token('id')) ?? ''
  const [, organization, user] = /\/id\/(\w+)\/(\w+)$/.exec(id) ?? []
  if (organization && user) return `${organization}/${user}`
  const said = await userInfo(session)
  if (said.organization_id && said.user_id) return `${said.organization_id}/${said.user_id}`
  throw new ConnectorError({
    connector: 'salesforce',
    doing: ASKING,
    kind: 'answer',
    reason: 'the answer names no organization and user',
  })
}

export async function account(session: Session): Promise<Record<string, string>> {
  const [organization = '', user = ''] = (await identity(session)).split('/')
  // A user whose app may not ask for it is logged in all the same.
  const said = await userInfo(session).catch((error: unknown): UserInfo => {
    if (error instanceof ConnectorError && error.kind === 'forbidden') return {}
    throw error
  })
  const instance = await session.http.token('instance_url')
  return {
    organization,
    ...(instance && { instance }),
    user: said.preferred_username ? `${said.preferred_username} (${user})` : user,
  }
}

interface UserInfo {
  organization_id?: string
  user_id?: string
  preferred_username?: string
}

const name = z.string().nullish()
const info = z.looseObject({ organization_id: name, user_id: name, preferred_username: name })

const ASKING = 'ask who we are'

// https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_userinfo_endpoint.htm
async function userInfo(session: Session): Promise<UserInfo> {
  return askJsonAt(session, '/services/oauth2/userinfo', ASKING, info)
}
