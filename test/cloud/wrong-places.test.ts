/** Everything that can be wrong on the way to a hosted Temporal: each is told as what it is, with what to do. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { recorded } from '../client/stand-in/recorder.ts'
import { makeAuthority } from '../sandboxes/temporal-cloud/certificates.ts'
import { describeWithTemporal } from '../temporal.ts'
import { API_KEY, NAMESPACE, startHosted } from './hosted.ts'
import type { Hosted } from './hosted.ts'

type Settings = Record<string, string | undefined>
/** What it is, what differs from right settings, exit code, what is said, what to do. */
type Wrong = [name: string, settings: () => Promise<Settings> | Settings, code: number, what: RegExp, todo: RegExp]

describeWithTemporal('a hosted Temporal', (temporal) => {
  let hosted: Hosted
  beforeAll(async () => {
    hosted = await startHosted(temporal.cli)
  }, 60_000)
  afterAll(() => hosted?.stop())

  /** The command with these settings on top of right ones; undefined takes one away. */
  async function listed(settings: Settings, ...args: string[]) {
    const all: Settings = { ...hosted.env, LAKEWARD_CONFIG: hosted.file('none.yaml', 'version: 1\n'), ...settings }
    const before = { ...process.env }
    for (const [name, value] of Object.entries(all)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    try {
      return await recorded('list', ...args)
    } finally {
      for (const name of Object.keys(all)) {
        if (before[name] === undefined) delete process.env[name]
        else process.env[name] = before[name]
      }
    }
  }

  const CERT = 'TEMPORAL_TLS_CLIENT_CERT_PATH'
  const KEY = 'TEMPORAL_TLS_CLIENT_KEY_PATH'
  const CA = 'TEMPORAL_TLS_SERVER_CA_CERT_PATH'
  const ADDRESS = 'TEMPORAL_ADDRESS'
  const mutual = () => hosted.another({ apiKey: undefined, clientAuthority: hosted.authority.cert })

  const wrong: Wrong[] = [
    ['a wrong API key', () => ({ TEMPORAL_API_KEY: 'no' }), 4, /Request unauthorized/, /API key.*namespace/],
    ['a namespace of others', () => ({ TEMPORAL_NAMESPACE: 'x.y' }), 4, /namespace x\.y: .*unauthorized/, /namespace/],
    ['no namespace', () => ({ TEMPORAL_NAMESPACE: undefined }), 4, /namespace default: .*unauthorized/, /namespace/],
    [
      'a namespace that is not there',
      () => ({ [ADDRESS]: hosted.server.address, TEMPORAL_TLS: 'false', TEMPORAL_NAMESPACE: 'x.y' }),
      1,
      /the namespace does not exist/,
      /--namespace or TEMPORAL_NAMESPACE/,
    ],
    ['TLS to a plain port', () => ({ [ADDRESS]: hosted.server.address }), 1, /speaks no TLS/, /TEMPORAL_TLS=false/],
    [
      'no TLS to a TLS port',
      () => ({ TEMPORAL_API_KEY: undefined, [CA]: undefined }),
      1,
      /speaks TLS, and was spoken to without/,
      /TEMPORAL_TLS=true/,
    ],
    [
      'an expired certificate',
      async () => ({ [ADDRESS]: hosted.at(await hosted.another({ days: -1 })) }),
      1,
      /certificate has expired/,
      /clock/,
    ],
    [
      'a certificate for another name',
      async () => ({ [ADDRESS]: hosted.at(await hosted.another({ hosts: ['elsewhere.example'] })) }),
      1,
      /not for localhost/,
      /TEMPORAL_TLS_SERVER_NAME/,
    ],
    [
      'a wrong server name',
      () => ({ TEMPORAL_TLS_SERVER_NAME: 'elsewhere.example' }),
      1,
      /not for elsewhere\.example/,
      /TEMPORAL_TLS_SERVER_NAME/,
    ],
    [
      'another authority',
      () => ({ [CA]: hosted.file('other.pem', makeAuthority('Other').cert) }),
      1,
      /signed by nobody this machine trusts/,
      /TEMPORAL_TLS_SERVER_CA_CERT_PATH/,
    ],
    ['an authority in no file', () => ({ [CA]: '/nowhere/ca.pem' }), 2, /\/nowhere\/ca\.pem: does not exist/, /path/],
    ['an authority that is none', () => ({ [CA]: hosted.file('no.pem', 'hello') }), 2, /cannot be read/, /PEM/],
    [
      'no client certificate where one is asked for',
      async () => ({ [ADDRESS]: hosted.at(await mutual()) }),
      1,
      /wants a client certificate/,
      /TEMPORAL_TLS_CLIENT_CERT_PATH/,
    ],
    [
      'a client certificate of nobody',
      async () => {
        const { cert, key } = makeAuthority('Nobody').issue(['client'])
        const pair = { [CERT]: hosted.file('nobody.pem', cert), [KEY]: hosted.file('nobody.key', key) }
        return { [ADDRESS]: hosted.at(await mutual()), TEMPORAL_API_KEY: undefined, ...pair }
      },
      1,
      /wants a client certificate that it trusts/,
      /TEMPORAL_TLS_CLIENT_CERT_PATH/,
    ],
    [
      'a client certificate with the key of another',
      () => {
        const { cert } = hosted.authority.issue(['client'])
        const { key } = hosted.authority.issue(['client'])
        return { [CERT]: hosted.file('client.pem', cert), [KEY]: hosted.file('client.key', key) }
      },
      2,
      /client certificate cannot be read/,
      /belongs to its certificate/,
    ],
  ]

  it.each(wrong)('%s', async (_, settings, code, what, todo) => {
    const { said, out, code: ended } = await listed(await settings())
    expect(said.split('\n')[0]).toMatch(/^error: /)
    expect(said.split('\n')[0]).toMatch(what)
    expect(said).toMatch(todo)
    expect(said).not.toMatch(/\n\s+at |undefined|\[object/)
    expect(said).not.toContain(API_KEY)
    expect([ended, out]).toEqual([code, ''])
  })

  it('a profile that is not there', async () => {
    const { said, code } = await listed({}, '--profile', 'nope')
    expect(said).toMatch(/--profile nope: Profile 'nope' not found/)
    expect(code).toBe(2)
  })

  it('a profile of the TOML file is all it takes, also with a client certificate', async () => {
    const { cert, key } = hosted.authority.issue(['client'])
    const config = hosted.file(
      'temporal.toml',
      `[profile.cloud]
address = "${hosted.at(hosted.front)}"
namespace = "${NAMESPACE}"
api_key = "${API_KEY}"
[profile.cloud.tls]
server_ca_cert_path = "${join(hosted.folder, 'ca.pem')}"
[profile.mutual]
address = "${hosted.at(await mutual())}"
namespace = "${NAMESPACE}"
[profile.mutual.tls]
server_ca_cert_path = "${join(hosted.folder, 'ca.pem')}"
client_cert_path = "${hosted.file('client.pem', cert)}"
client_key_path = "${hosted.file('client.key', key)}"
`,
    )
    writeFileSync(join(hosted.folder, 'ca.pem'), hosted.authority.cert)
    const bare = Object.fromEntries(Object.keys(hosted.env).map((name) => [name, undefined]))
    for (const profile of ['cloud', 'mutual']) {
      const { said, code } = await listed({ ...bare, TEMPORAL_CONFIG_FILE: config }, '--profile', profile)
      expect(said).toMatch(/no flows yet/)
      expect(code).toBe(0)
    }
  })
})
