/**
 * How a connection logs in, as lakeward.yaml says it.
 *
 * Law: secrets are references, never text; what stands where a secret must stand is in no message.
 */
import { z } from 'zod'
import type { AuthKind, JsonObject } from './connector.ts'
import { meant } from './nearest.ts'
import {
  always,
  examine,
  type Found,
  integer,
  isTable,
  kind,
  list,
  notYet,
  type Path,
  shown,
  strict,
  text,
  words,
} from './strict.ts'

/** Where a secret is kept. A relative file lies beside lakeward.yaml. */
export type SecretRef = { env: string } | { file: string }
/** Text only where plain secrets were allowed. */
export type Secret = SecretRef | string

export interface ConnectionAuth {
  type: string
  tokenUrl?: string
  authorizeUrl?: string
  scopes?: string[]
  [field: string]: Secret | string[] | number | undefined
}

/** Where a person's login comes back to: `http://localhost:8417/callback` is registered with the vendor. */
export const REDIRECT_PORT = 8417

const references = '{ env: NAME } or { file: path }'

const plainRefused = ({ input }: { input?: unknown }): string | undefined => {
  if (input === undefined || input === null || isTable(input)) return undefined
  if (typeof input === 'string') {
    return words('is a secret in plain text', `keep it elsewhere and write ${references}`)
  }
  return words(`must be a reference, not ${kind(input)}`, `write ${references}`)
}

export const reference = strict(
  'a reference to a secret',
  {
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
        error: words(
          'is not the name of an environment variable',
          'letters, digits and _: the name, not the secret itself',
        ),
      })
      .describe('Name of an environment variable')
      .optional(),
    file: text('Path of a file that holds the secret, relative to lakeward.yaml').optional(),
  },
  ['awsSecret'],
  plainRefused,
)
  .superRefine((value, context) => {
    if (!isTable(value)) return
    const named = ['env', 'file', 'awsSecret'].filter((key) => key in value)
    if (named.length === 1 || Object.keys(value).length > named.length) return
    const what = named.length === 0 ? 'names no place' : `names ${named.join(' and ')}`
    context.addIssue({ code: 'custom', message: words(what, `exactly one: ${references}`) })
  }, always)
  .meta({ description: `A reference to a secret: ${references}`, minProperties: 1, maxProperties: 1 })

const plainOr = (schema: z.ZodType) => z.union([text('The secret'), schema])
export const secret = (plain: boolean): z.ZodType => (plain ? plainOr(reference) : reference)

/** Not secret, though it may be kept where the secrets are. */
const textOrReference = z.union([text('Text'), reference]).describe(`Text, or a reference: ${references}`)

interface Grant {
  open: string[]
  secret: string[]
  /** Secrets that may be left out. */
  optional: string[]
  more?: Record<string, z.ZodType>
  /** Has no endpoints and no scopes. */
  keysOnly?: true
}

/** The grants that work, under the names OAuth gives them. */
const grants: Record<string, Grant> = {
  client_credentials: { open: ['clientId'], secret: ['clientSecret'], optional: [] },
  refresh_token: { open: ['clientId'], secret: ['refreshToken'], optional: ['clientSecret'] },
  authorization_code: {
    open: ['clientId'],
    secret: [],
    optional: ['clientSecret'],
    more: {
      redirectPort: integer(`Port of this machine that a login comes back to; default: ${REDIRECT_PORT}`, 1)
        .max(65_535)
        .optional(),
    },
  },
  jwt_bearer: {
    open: ['subject'],
    secret: ['privateKey'],
    optional: ['passphrase'],
    more: {
      clientId: textOrReference.optional(),
      audience: text("Whom the assertion is addressed to; default: the connector's").optional(),
    },
  },
  signing_secret: { open: [], secret: ['secret'], optional: ['previous'], keysOnly: true },
  aws_keys: { open: ['accessKeyId'], secret: ['secretAccessKey'], optional: ['sessionToken'], keysOnly: true },
}
const laterGrants = ['basic', 'token', 'api_key', 'signature']

function grantSchema(type: string, { open, secret: secrets, optional, more, keysOnly }: Grant, plain: boolean) {
  const shape: Record<string, z.ZodType> = { type: z.literal(type).describe('Kind of login'), ...more }
  for (const field of open) shape[field] = textOrReference
  for (const field of secrets) shape[field] = secret(plain)
  for (const field of optional) shape[field] = secret(plain).optional()
  if (keysOnly) return strict(`auth of type ${type}`, shape)
  shape['tokenUrl'] = text("Address of the token endpoint; default: the connector's").optional()
  shape['authorizeUrl'] = text("Address of the login page; default: the connector's").optional()
  shape['scopes'] = list("What is asked for; default: the connector's", text('A scope')).optional()
  return strict(`auth of type ${type}`, shape)
}

/** For editors: the logins among `kinds` that work, secrets as references. */
export function authSchema(kinds: AuthKind[]): z.ZodType {
  const working = kinds.flatMap(({ type }) => {
    const grant = Object.hasOwn(grants, type) ? grants[type] : undefined
    return grant ? [grantSchema(type, grant, false)] : []
  })
  return z.union(working).describe('How the connection logs in')
}

/** `kinds` is what the connector offers. */
export function readAuth(
  input: unknown,
  kinds: AuthKind[],
  connector: string,
  base: Path,
  plain: boolean,
): { value: ConnectionAuth | null } | { found: Found[] } {
  const offered = kinds.map(({ type }) => type)
  const wrong = (what: string, advice: string, path = base): { found: Found[] } => ({ found: [{ path, what, advice }] })
  if (input === undefined) {
    if (kinds.every(({ optional }) => optional)) return { value: null }
    return wrong("'auth' is missing", `${connector} offers type ${offered.join(' | ')}`)
  }
  if (offered.length === 0) return wrong(`${connector} needs no login`, 'remove auth')
  if (!isTable(input))
    return wrong(`must be a mapping (key: value), not ${kind(input)}`, `type: ${offered.join(' | ')}`)
  const { type } = input
  const place: Path = [...base, 'type']
  if (type === undefined) return wrong("'type' is missing", `${connector} offers ${offered.join(' | ')}`, place)
  if (typeof type !== 'string') return wrong(`must be text, not ${kind(type)}`, offered.join(' | '), place)
  const grant = Object.hasOwn(grants, type) ? grants[type] : undefined
  if (!grant) {
    if (laterGrants.includes(type)) return wrong(notYet(shown(type)), `until then: ${offered.join(' | ')}`, place)
    const what = `${shown(type)} is no type of login${meant(type, [...offered, ...laterGrants])}`
    return wrong(what, `${connector} offers ${offered.join(' | ')}`, place)
  }
  if (!offered.includes(type)) {
    return wrong(`${connector} has no login of type ${shown(type)}`, `it offers ${offered.join(' | ')}`, place)
  }
  const result = examine(grantSchema(type, grant, plain), input)
  if ('value' in result) return { value: result.value as ConnectionAuth }
  return { found: result.found.map((problem) => ({ ...problem, path: [...base, ...problem.path] })) }
}

/** What only shows when settings and login are seen together. */
export function unfitLogin(auth: ConnectionAuth | null, kinds: AuthKind[], settings: JsonObject, base: Path): Found[] {
  const said = auth && kinds.find(({ type }) => type === auth.type)?.unfit?.(settings, auth)
  if (!said) return []
  const [what = said, advice] = said.split('\n')
  return [{ path: base, what, ...(advice && { advice }) }]
}
