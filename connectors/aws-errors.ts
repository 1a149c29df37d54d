/** What an error of an AWS service means: its own rules first, then what all of them say of a login. */
import type { ErrorKind } from './connector.ts'
import { ConnectorError, InputError } from './errors.ts'

export interface AwsRule {
  names: RegExp
  kind: ErrorKind
  advice?: string
  waitMs?: number
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-errors.html
const LOGIN: AwsRule[] = [
  {
    names: /^ExpiredToken/,
    kind: 'expired',
    advice: 'The session token has ended: give the workers a login that renews itself (a role), or a new token.',
  },
  {
    names: /^(UnrecognizedClient|InvalidSignature|InvalidClientTokenId|MissingAuthentication|Credentials)/,
    kind: 'auth',
    advice: 'Correct the access key and its secret: `auth` of the connection, or what the default chain finds.',
  },
  { names: /^Throttling/, kind: 'throttled' },
]

export function awsError(error: unknown, doing: string, connector: string, rules: AwsRule[]): Error {
  if (error instanceof ConnectorError || error instanceof InputError) return error
  const { name = 'Error', message = String(error), $fault } = error as Partial<Error> & { $fault?: string }
  const rule = [...rules, ...LOGIN].find(({ names }) => names.test(name))
  return new ConnectorError({
    connector,
    doing,
    kind: rule?.kind ?? ($fault === 'client' ? 'rejected' : 'transient'),
    reason: `${name}: ${message.slice(0, 400)}`,
    code: name,
    ...(rule?.advice !== undefined && { advice: rule.advice }),
    ...(rule?.waitMs !== undefined && { waitMs: rule.waitMs }),
  })
}
