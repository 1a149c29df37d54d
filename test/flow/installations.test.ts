/** lakeward.yaml: right ones, and wrong ones with their path, what is wrong and what to do; never with a secret. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AuthKind, Connector } from '../../connectors/connector.ts'
import { InputError, type Problem } from '../../connectors/errors.ts'
import { type Installation, type Lookup, readInstallation } from '../../connectors/installation.ts'

const oauth: AuthKind[] = [
  { type: 'client_credentials', tokenUrl: '{loginUrl}/token', send: 'bearer' },
  { type: 'refresh_token', tokenUrl: '{loginUrl}/token', send: 'bearer' },
]

/** Made up: one with a login, one that is a lake, one that checks its settings by hand, one with a single grant. */
const made: Record<string, Connector> = {
  org: connectorOf('org', z.strictObject({ loginUrl: z.string(), limitOf: z.int().optional() }), {
    auth: oauth,
    limits: [{ name: 'calls of a day', daily: true, parallel: 5 }],
  }),
  directory: connectorOf('directory', z.strictObject({ path: z.string().min(1) }), {
    paths: ['path'],
    destination: { lake: () => ({}) },
  }),
  byhand: connectorOf('byhand', {
    parse: () => {
      throw new Error('a bucket is missing')
    },
  }),
  strictly: connectorOf('strictly', z.strictObject({}), { auth: [oauth[0]!] }),
}

function connectorOf(name: string, settings: Connector['settings'], more: Partial<Connector> = {}): Connector {
  const identity = () => Promise.resolve(name)
  return { name, title: name, settings, auth: [], limits: [], errors: [], identity, ...more }
}

const connectors: Lookup = { names: Object.keys(made), find: (name) => made[name] }

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakeward-installations-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function read(text: string, plainSecrets = false): Promise<Installation> {
  const path = join(directory, 'lakeward.yaml')
  await writeFile(path, text)
  return readInstallation(path, { connectors, plainSecrets })
}

async function problemsIn(text: string, plainSecrets = false): Promise<Problem[]> {
  const error: unknown = await read(text, plainSecrets).then(
    () => new Error('nothing was refused'),
    (caught: unknown) => caught,
  )
  if (!(error instanceof InputError)) throw error
  return error.problems.map((problem) => ({ ...problem, where: problem.where.replace(`${directory}/`, '') }))
}

const good = `version: 1
connections:
  crm:
    connector: org
    loginUrl: https://acme.example.com
    taskQueue: crm-only
    auth:
      type: refresh_token
      clientId: my-app
      clientSecret: { env: SECRET }
      refreshToken: { file: secrets/token }
      scopes: [api]
  lake:
    connector: directory
    path: ./lake
state: lake
keys:
  pii: { env: PII_KEY }
`

describe('right', () => {
  it('is read with absolute paths and secrets as references', async () => {
    expect(await read(good)).toEqual({
      version: 1,
      path: join(directory, 'lakeward.yaml'),
      directory,
      connections: {
        crm: {
          name: 'crm',
          connector: 'org',
          settings: { loginUrl: 'https://acme.example.com' },
          auth: {
            type: 'refresh_token',
            clientId: 'my-app',
            clientSecret: { env: 'SECRET' },
            refreshToken: { file: 'secrets/token' },
            scopes: ['api'],
          },
          taskQueue: 'crm-only',
          allowInsecure: false,
          limits: { parallel: 5, dailyCalls: null },
        },
        lake: {
          name: 'lake',
          connector: 'directory',
          settings: { path: join(directory, 'lake') },
          auth: null,
          allowInsecure: false,
          limits: { parallel: 16, dailyCalls: null },
        },
      },
      state: { connection: 'lake' },
      keys: { pii: { env: 'PII_KEY' } },
      codec: null,
      worker: {},
      listen: {},
    })
  })

  it('keeps state beside the file where nothing is said', async () => {
    const { state, keys, connections } = await read('version: 1\nconnections: {}\n')
    expect(state).toEqual({ directory: join(directory, '.lakeward', 'state') })
    expect([keys, connections]).toEqual([{}, {}])
  })

  it('takes limits as numbers and as a share', async () => {
    const limited = async (limits: string) => {
      const { connections } = await read(good.replace('taskQueue: crm-only', `limits: ${limits}`))
      return connections['crm']?.limits
    }
    expect(await limited('{ parallel: 40, dailyCalls: 20000 }')).toEqual({
      parallel: 40,
      dailyCalls: { calls: 20_000 },
    })
    expect(await limited('{ dailyCalls: "50%" }')).toEqual({ parallel: 5, dailyCalls: { share: 0.5 } })
  })

  it('has no names that nobody gave', async () => {
    const { connections, keys } = await read(good)
    expect([connections['constructor'], keys['toString']]).toEqual([undefined, undefined])
  })

  it('takes plain secrets where they are allowed', async () => {
    const plain = good.replace('{ env: SECRET }', 'hush').replace('{ env: PII_KEY }', 'hush too')
    const { connections, keys } = await read(plain, true)
    expect(connections['crm']!.auth!['clientSecret']).toBe('hush')
    expect(keys).toEqual({ pii: 'hush too' })
  })

  it.each(['http://localhost:8080', 'http://127.0.0.1:1', 'http://[::1]:1', 'https://x.example'])(
    'reaches %s',
    async (url) => {
      const text = good.replace('https://acme.example.com', `"${url}"`)
      expect((await read(text)).connections['crm']!.settings['loginUrl']).toBe(url)
    },
  )

  it('reaches plain http anywhere where it is asked for', async () => {
    const text = good.replace('https://acme.example.com', 'http://acme.example.com\n    allowInsecure: true')
    expect((await read(text)).connections['crm']!.allowInsecure).toBe(true)
  })
})

/** Every case replaces a part of the right file. */
type Wrong = [name: string, from: string, to: string, where: string, what: RegExp, advice?: RegExp]

const crm = 'connections.crm'
const topLevel: Wrong[] = [
  ['version missing', 'version: 1\n', '', 'version', /'version' is missing/, /version: 1/],
  ['another version', 'version: 1', 'version: 3', 'version', /not a version/],
  ['unknown key', 'keys:', 'key:', 'key', /unknown key 'key', did you mean 'keys'/],
  ['state of no connection', 'state: lake', 'state: lak', 'state', /no connection of this file, did you mean 'lake'/],
  ['state that is no lake', 'state: lake', 'state: crm', 'state', /'crm' is no lake/],
  ['state that is a path', 'state: lake', 'state: ./state', 'state', /this is no connection/, /\.lakeward\/state/],
  ['reserved key', 'pii: {', 'state: {', 'keys.state', /reserved/],
  ['key in plain text', '{ env: PII_KEY }', 'canary', 'keys.pii', /secret in plain text/, /\{ env: NAME \}/],
]
const connections: Wrong[] = [
  ['name', 'crm:', 'CRM:', 'connections.CRM', /'CRM' is not a name/, /a-z/],
  ['connector missing', 'connector: org', '', `${crm}.connector`, /'connector' is missing/],
  [
    'connector unknown',
    'connector: org',
    'connector: orgs',
    `${crm}.connector`,
    /no connector 'orgs', did you mean 'org'/,
    /known connectors/,
  ],
  ['connector of later', 'connector: org', 'connector: slack', `${crm}.connector`, /^not yet: connector 'slack'/],
  ['setting missing', 'loginUrl: https://acme.example.com', '', `${crm}.loginUrl`, /'loginUrl' is missing/],
  ['setting of wrong kind', 'https://acme.example.com', '12', `${crm}.loginUrl`, /must be text, not a number/],
  [
    'setting unknown',
    'taskQueue: crm-only',
    'bucket: b',
    `${crm}.bucket`,
    /unknown key 'bucket'/,
    /connector, auth, taskQueue.*loginUrl/,
  ],
  [
    'setting mistyped',
    'loginUrl:',
    'loginUrl: https://a.example\n    loginURL:',
    `${crm}.loginURL`,
    /did you mean 'loginUrl'/,
  ],
  ['common key mistyped', 'taskQueue:', 'taskqueue:', `${crm}.taskqueue`, /did you mean 'taskQueue'/],
  [
    'staging of what stages nothing',
    'taskQueue: crm-only',
    'staging: { connection: crm }',
    `${crm}.staging`,
    /on its way to org/,
  ],
  ['a limit mistyped', 'taskQueue: crm-only', 'limits: { dailyCall: 1 }', `${crm}.limits.dailyCall`, /did you mean/],
  [
    'a share above all',
    'taskQueue: crm-only',
    'limits: { dailyCalls: 120% }',
    `${crm}.limits.dailyCalls`,
    /is no share/,
  ],
  ['no calls at all', 'taskQueue: crm-only', 'limits: { dailyCalls: 0 }', `${crm}.limits.dailyCalls`, /at least 1/],
  [
    'a list of limits',
    'taskQueue: crm-only',
    'limits: { dailyCalls: [1] }',
    `${crm}.limits.dailyCalls`,
    /a number of calls or a share/,
  ],
  [
    'a share of nothing known',
    'path: ./lake',
    'path: ./lake\n    limits: { dailyCalls: 50% }',
    'connections.lake.limits.dailyCalls',
    /does not tell/,
  ],
  ['common key of wrong kind', 'taskQueue: crm-only', 'allowInsecure: 1', `${crm}.allowInsecure`, /true or false/],
  ['checked by hand', 'connector: directory', 'connector: byhand', 'connections.lake', /a bucket is missing/],
  [
    'a connection of text',
    'lake:\n    connector: directory\n    path: ./lake',
    'lake: ./lake',
    'connections.lake',
    /must be a mapping/,
    /connector/,
  ],
]
const hosts: Wrong[] = [
  [
    'plain http',
    'https://acme.example.com',
    'http://acme.example.com',
    `${crm}.loginUrl`,
    /acme\.example\.com over plain http/,
    /allowInsecure/,
  ],
  ['a host like loopback', 'https://acme.example.com', 'http://127.0.0.1.example', `${crm}.loginUrl`, /plain http/],
  ['no host', 'https://acme.example.com', 'https://', `${crm}.loginUrl`, /is not an address/],
  ['a password in it', 'https://acme', 'https://me:canary@acme', `${crm}.loginUrl`, /user or a password/, /below auth/],
  ['a token in it', 'https://acme', 'https://canary@acme', `${crm}.loginUrl`, /user or a password/],
  [
    'token endpoint',
    'scopes: [api]',
    'tokenUrl: http://other.example/t',
    `${crm}.auth.tokenUrl`,
    /other\.example over plain http/,
  ],
]
const auths: Wrong[] = [
  [
    'secret in plain text',
    '{ env: SECRET }',
    'canary',
    `${crm}.auth.clientSecret`,
    /secret in plain text/,
    /\{ file: path \}/,
  ],
  [
    'secret that is a number',
    '{ env: SECRET }',
    '12345',
    `${crm}.auth.clientSecret`,
    /must be a reference, not a number/,
  ],
  [
    'secret as the name',
    'env: SECRET',
    'env: "canary !"',
    `${crm}.auth.clientSecret.env`,
    /not the name of an environment variable/,
    /the name, not the secret/,
  ],
  ['reference to nothing', '{ env: SECRET }', '{}', `${crm}.auth.clientSecret`, /names no place/, /exactly one/],
  ['two references', '{ env: SECRET }', '{ env: A, file: b }', `${crm}.auth.clientSecret`, /names env and file/],
  [
    'unknown reference',
    '{ env: SECRET }',
    '{ vault: a }',
    `${crm}.auth.clientSecret.vault`,
    /unknown key 'vault'/,
    /env, file/,
  ],
  [
    'reference of later',
    '{ env: SECRET }',
    '{ awsSecret: a#b }',
    `${crm}.auth.clientSecret.awsSecret`,
    /^not yet: awsSecret/,
  ],
  ['empty file name', '{ file: secrets/token }', '{ file: "" }', `${crm}.auth.refreshToken.file`, /is empty/],
  [
    'type missing',
    'type: refresh_token',
    '',
    `${crm}.auth.type`,
    /'type' is missing/,
    /client_credentials \| refresh_token/,
  ],
  ['type mistyped', 'type: refresh_token', 'type: refreshToken', `${crm}.auth.type`, /did you mean 'refresh_token'/],
  ['type of later', 'type: refresh_token', 'type: basic', `${crm}.auth.type`, /^not yet: 'basic'/, /until then/],
  [
    'type not offered',
    'connector: org\n    loginUrl: https://acme.example.com',
    'connector: strictly',
    `${crm}.auth.type`,
    /strictly has no login of type 'refresh_token'/,
  ],
  ['field missing', 'clientId: my-app', '', `${crm}.auth.clientId`, /'clientId' is missing/],
  [
    'field of another type',
    'scopes: [api]',
    'username: me',
    `${crm}.auth.username`,
    /unknown key 'username'/,
    /clientId/,
  ],
  ['client id of wrong kind', 'my-app', '12', `${crm}.auth.clientId`, /cannot be a number/, /Text, or a reference/],
  [
    'auth that is text',
    'path: ./lake',
    'path: ./lake\n    auth: canary',
    'connections.lake.auth',
    /needs no login/,
    /remove/,
  ],
]

describe.each(Object.entries({ topLevel, connections, hosts, auths }))('wrong %s', (_, table) => {
  it.each(table)('%s', async (name, from, to, where, what, advice) => {
    expect(good).toContain(from)
    const problems = await problemsIn(good.replace(from, to))
    expect(problems.map((problem) => problem.where.replace(/^lakeward\.yaml:\d+ /, ''))).toEqual([where])
    expect(problems[0]!.where).toMatch(/^lakeward\.yaml:\d+ /)
    expect(problems[0]!.what).toMatch(what)
    if (advice) expect(problems[0]!.advice).toMatch(advice)
    expect(JSON.stringify(problems)).not.toContain('canary')
  })
})

describe('wrong, as a whole', () => {
  it('tells what is wrong in all connections at once, in the order of the file', async () => {
    const text = good
      .replace('{ env: SECRET }', 'canary')
      .replace('path: ./lake', 'pth: ./lake')
      .replace('state: lake', 'sate: lake')
    expect((await problemsIn(text)).map(({ where }) => where)).toEqual([
      'lakeward.yaml:10 connections.crm.auth.clientSecret',
      'lakeward.yaml:13 connections.lake.path',
      'lakeward.yaml:15 connections.lake.pth',
      'lakeward.yaml:16 sate',
    ])
  })

  it('login missing where the connector needs one', async () => {
    const text = 'version: 1\nconnections:\n  crm: { connector: org, loginUrl: https://a.example }\n'
    expect(await problemsIn(text)).toEqual([
      {
        where: 'lakeward.yaml:3 connections.crm.auth',
        what: "'auth' is missing",
        advice: 'org offers type client_credentials | refresh_token',
      },
    ])
  })

  it('secrets that YAML breaks are in no message', async () => {
    for (const broken of ['"canary', '@canary', '*canary', '[canary', 'canary: canary', '!canary x']) {
      const problems = await problemsIn(good.replace('{ env: SECRET }', broken), true)
      expect(JSON.stringify(problems)).not.toContain('canary')
    }
  })

  it('a list is no installation', async () => {
    expect((await problemsIn('- a'))[0]).toMatchObject({ what: expect.stringMatching(/must be a mapping/) as string })
  })
})
