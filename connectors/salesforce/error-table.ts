/**
 * What Salesforce's errors mean. The first rule that matches decides.
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
 */
import type { ErrorRule, ErrorShape } from '../connector.ts'

const minute = 60_000

export const errorShapes: ErrorShape[] = [
  { at: [0], code: 'errorCode', message: 'message' },
  { at: [], code: 'errorCode', message: 'message' },
  { at: [], code: 'error', message: 'error_description' },
]

export const errors: ErrorRule[] = [
  // Tokens and logins.
  { code: 'INVALID_SESSION_ID', kind: 'expired' },
  {
    code: 'invalid_grant',
    message: 'no client credentials user',
    kind: 'auth',
    advice: "Choose a run-as user in the app's client credentials settings, in Salesforce's setup.",
  },
  {
    code: 'invalid_grant',
    message: 'request not supported on this domain',
    kind: 'auth',
    advice: 'Client credentials work at https://<your domain>.my.salesforce.com only: set it as loginUrl.',
  },
  {
    code: 'invalid_grant',
    message: 'expired access/refresh token|token validity expired',
    kind: 'auth',
    advice: 'Salesforce no longer takes this login: it was revoked, or has run out.',
  },
  {
    code: ['invalid_grant', 'invalid_app_access'],
    message: 'user hasn.t approved this consumer|not admin approved',
    kind: 'auth',
    advice:
      "Pre-authorize the user: in the app's policies, Permitted Users is 'Admin approved users are pre-authorized', " +
      'and one of its permission sets or profiles is the one of the user.',
  },
  {
    code: ['invalid_grant', 'invalid_request'],
    message: 'audience',
    kind: 'auth',
    advice:
      'A JWT is for https://login.salesforce.com (production) or https://test.salesforce.com (sandboxes, scratch ' +
      'orgs): set loginUrl to the org of the user, or audience where it is neither.',
  },
  {
    code: 'invalid_grant',
    message: 'expired authorization code',
    kind: 'auth',
    advice:
      'A code works once, for some minutes: run `lakeward login` again. With jwt_bearer it means that the clock of ' +
      'this machine is wrong.',
  },
  {
    code: ['invalid_grant', 'invalid_client'],
    message: 'invalid assertion',
    kind: 'auth',
    advice:
      "The private key and the certificate that was uploaded to the app ('Enable JWT Bearer Flow') must belong " +
      'together, and clientId must be the consumer key of that app.',
  },
  {
    code: 'invalid_grant',
    message: 'code verifier',
    kind: 'auth',
    advice: 'The code belongs to another login than this one: run `lakeward login` again and use its address.',
  },
  {
    code: 'invalid_grant',
    message: 'inactive|locked',
    kind: 'auth',
    advice: "Activate or unlock the connection's user in Salesforce.",
  },
  {
    code: 'invalid_scope',
    kind: 'auth',
    advice:
      "Give the app the scopes 'Manage user data via APIs (api)' and 'Perform requests at any time (refresh_token, " +
      "offline_access)'.",
  },
  {
    code: ['OAUTH_APP_BLOCKED', 'OAUTH_APPROVAL_ERROR_GENERIC'],
    kind: 'auth',
    advice: 'An administrator must allow the app and its user: Setup > Connected Apps OAuth Usage, and its policies.',
  },
  {
    code: 'redirect_uri_mismatch',
    kind: 'auth',
    advice: "The Callback URLs of the app's OAuth settings must have the redirect address exactly as it is.",
  },
  { code: ['inactive_user', 'inactive_org'], kind: 'auth', advice: "Activate the connection's user in Salesforce." },
  { code: 'rate_limit_exceeded', kind: 'throttled', waitMs: minute },

  // Limits. Salesforce never says how long to wait.
  // Without jobs there are still pages.
  { message: 'max bulk v2 query', kind: 'rejected' },
  {
    code: 'REQUEST_LIMIT_EXCEEDED',
    message: 'TotalRequests',
    kind: 'quota',
    waitMs: 30 * minute,
    advice: "The org's requests of the last 24 hours are used up; the run goes on when some are given back.",
  },
  { code: 'REQUEST_LIMIT_EXCEEDED', kind: 'throttled', waitMs: 2 * minute },
  { code: ['QUERY_TOO_MANY_CONCURRENT', 'TOO_MANY_REQUESTS'], kind: 'throttled', waitMs: minute },

  // Work that may go well later.
  {
    code: 'QUERY_TIMEOUT',
    kind: 'transient',
    waitMs: minute,
    advice: 'The query took Salesforce longer than it allows; a later startFrom or a filter on an indexed field helps.',
  },
  { code: ['UNABLE_TO_LOCK_ROW', 'SERVER_UNAVAILABLE', 'API_CURRENTLY_DISABLED'], kind: 'transient' },
  { code: ['UNKNOWN_EXCEPTION', 'INTERNAL_ERROR'], kind: 'transient' },

  // Positions.
  { code: ['INVALID_QUERY_LOCATOR', 'INVALID_LOCATOR'], kind: 'cursor-expired' },
  { message: 'invalid query locator|query locator (has )?expired', kind: 'cursor-expired' },

  // What is not there, or not for this user.
  {
    code: 'INVALID_FIELD',
    kind: 'missing',
    advice: "The field was removed, or the connection's user may no longer see it.",
  },
  {
    code: ['INVALID_TYPE', 'INVALID_TYPE_FOR_OPERATION'],
    kind: 'missing',
    advice: "There is no such object, or the connection's user may not read it: `lakeward objects` lists what it may.",
  },
  {
    code: ['API_DISABLED_FOR_ORG', 'FUNCTIONALITY_NOT_ENABLED'],
    kind: 'forbidden',
    advice: "The org's edition or the user's profile lacks API access.",
  },
  { code: ['INSUFFICIENT_ACCESS', 'INSUFFICIENT_ACCESS_OR_READONLY', 'OPERATION_NOT_ALLOWED'], kind: 'forbidden' },

  // Requests that will not work as they are.
  {
    code: 'MALFORMED_QUERY',
    message: 'implementation restriction|requires a filter',
    kind: 'rejected',
    advice: 'Salesforce lets this object be read only through a filter of its own kind, which a flow cannot give.',
  },
  { code: ['MALFORMED_QUERY', 'INVALID_QUERY_FILTER_OPERATOR', 'QUERY_TOO_COMPLICATED'], kind: 'rejected' },
  {
    code: ['UNSUPPORTED_API_VERSION', 'API_VERSION_RETIRED'],
    kind: 'rejected',
    advice: 'Set a newer apiVersion for this connection.',
  },
  { status: 410, kind: 'rejected', advice: 'This version of the API is retired: set a newer apiVersion.' },
  {
    code: 'NOT_FOUND',
    kind: 'missing',
    advice: 'There is no such object for this user, or the org does not know this apiVersion yet.',
  },
  { status: [414, 414], kind: 'rejected' },
]
