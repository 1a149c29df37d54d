/**
 * Credentials for connectors of AWS: the keys of the connection, or else what the SDK's default chain finds (instance
 * and container roles, profiles, the environment); with `role:`, a role assumed by them.
 *
 * Law: a session of a role is narrowed to what its user says it touches; keys of a session are asked for again before
 * they end, by the SDK's own clients.
 */
import type { AwsKeys, JsonObject, Session } from '../connectors/connector.ts'
import { ConnectorError, InputError, showProblem } from '../connectors/errors.ts'
import type { Connection, Secret } from '../connectors/installation.ts'
import { kept } from '../connectors/kept.ts'
import { resolveSecret } from '../connectors/secrets.ts'

/** Of its settings, `region`, `role` and `externalId` are read. */
export type AwsConnection = Pick<Connection, 'name' | 'settings' | 'auth'> & {
  /** What relative file names of secrets rest on: the folder of lakeward.yaml. */
  directory: string
}

type Provider = () => Promise<AwsKeys>

export function awsLogin(connection: AwsConnection): NonNullable<Session['aws']> {
  return (policy) => {
    const provider = kept(() => makeProvider(connection, policy))
    return async () => {
      try {
        const keys = await provider()
        return await keys()
      } catch (error) {
        throw loginError(error, connection)
      }
    }
  }
}

async function makeProvider(connection: AwsConnection, policy: JsonObject | undefined): Promise<Provider> {
  const sdk = await import('@aws-sdk/credential-providers')
  const own: Provider = connection.auth ? () => keysOf(connection) : sdk.fromNodeProviderChain()
  const { role, externalId, region } = connection.settings
  if (typeof role !== 'string') return own
  // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
  return sdk.fromTemporaryCredentials({
    masterCredentials: own,
    params: {
      RoleArn: role,
      // It stands in CloudTrail beside everything that is done with it.
      RoleSessionName: `lakeward-${connection.name}`.replace(/[^\w+=,.@-]/g, '-').slice(0, 64),
      ...(typeof externalId === 'string' && { ExternalId: externalId }),
      ...(policy && { Policy: JSON.stringify(policy) }),
    },
    // AWS_ENDPOINT_URL_STS names another endpoint.
    clientConfig: typeof region === 'string' ? { region } : {},
  })
}

async function keysOf({ name: connection, auth, directory }: AwsConnection): Promise<AwsKeys> {
  const member = (name: string): Promise<string> | string => {
    const value = auth?.[name] as Secret
    if (typeof value === 'string') return value
    return resolveSecret(value, { where: `connections.${connection}.auth.${name}`, directory })
  }
  return {
    accessKeyId: await member('accessKeyId'),
    secretAccessKey: await member('secretAccessKey'),
    ...(auth?.['sessionToken'] !== undefined && { sessionToken: await member('sessionToken') }),
  }
}

const NETWORK = /^(?:E[A-Z]{4,}|TimeoutError)$/

function loginError(error: unknown, { name: connection, settings }: AwsConnection): unknown {
  if (!(error instanceof Error) || error instanceof ConnectorError) return error
  const { name, message, code } = error as Error & { code?: string }
  const role = typeof settings['role'] === 'string' ? settings['role'] : null
  const details = { connector: 'aws', reason: `${name}: ${message.slice(0, 400)}`, code: name }
  const doing = role ? `assume ${role} for ${connection}` : `find credentials for ${connection}`
  if (error instanceof InputError) {
    return new ConnectorError({ ...details, doing, reason: error.problems.map(showProblem).join('; '), kind: 'auth' })
  }
  const sts = 'Does `region`, or AWS_ENDPOINT_URL_STS, lead to STS, and may these workers reach it?'
  if (NETWORK.test(code ?? name)) {
    return new ConnectorError({ ...details, doing, kind: 'transient', ...(role && { advice: sts }) })
  }
  if (role && (error instanceof SyntaxError || /^Invalid response from STS/.test(message))) {
    return new ConnectorError({ ...details, doing, kind: 'answer', advice: sts })
  }
  if (/^(?:ExpiredToken|ExpiredTokenException)$/.test(name)) {
    const advice = 'The keys that assume the role have ended: log in anew, or give the workers a role of their own.'
    return new ConnectorError({ ...details, doing, kind: 'expired', advice })
  }
  if (/Throttl|TooManyRequests|SlowDown/.test(name)) return new ConnectorError({ ...details, doing, kind: 'throttled' })
  if (role && /^(?:AccessDenied|AccessDeniedException)$/.test(name)) {
    const advice =
      'The role must trust these workers (sts:AssumeRole in its trust policy, `externalId` where it asks for one), ' +
      'and they must be allowed sts:AssumeRole on it.'
    return new ConnectorError({ ...details, doing, kind: 'auth', advice })
  }
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  if (/^PackedPolicyTooLarge/.test(name) || (name === 'ValidationError' && /'policy'/i.test(message))) {
    const advice =
      'What a session may touch is told to STS in 2,048 characters, and the tags of the caller count with it: shorten ' +
      '`path`, `prefix` and names, or leave `role` out and give the workers the role itself.'
    return new ConnectorError({ ...details, doing, kind: 'rejected', advice })
  }
  if (name === 'RegionDisabledException') {
    const advice = 'Activate STS for this region in the account settings of IAM, or write another `region`.'
    return new ConnectorError({ ...details, doing, kind: 'rejected', advice })
  }
  const advice = role
    ? 'Correct `role`, `externalId` and the keys that assume it.'
    : 'Run the workers with a role (EC2, ECS, EKS), set AWS_PROFILE or AWS_ACCESS_KEY_ID, or write ' +
      '`auth: {type: aws_keys, …}` for the connection.'
  return new ConnectorError({ ...details, doing, kind: 'auth', advice })
}
