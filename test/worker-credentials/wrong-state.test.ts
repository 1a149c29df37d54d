/** Stores and keys of state that are wrong in lakeward.yaml, in the environment or at AWS: each tells what to do. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { ConnectorError, InputError } from '../../connectors/errors.ts'
import { LakeError } from '../../connectors/lake/errors.ts'
import { openParts } from '../../worker/assemble.ts'
import { orSkip } from '../components.ts'
import { startTestMoto } from '../s3-servers.ts'
import type { TestS3 } from '../s3-servers.ts'

const moto = await orSkip(startTestMoto(), 'wrong states in S3')
const server = moto as TestS3
const key = Buffer.alloc(32, 9).toString('base64')
const before = { ...process.env }
let directory: string
let bucket: string
let keyId: string

beforeAll(async () => {
  if (!moto) return
  const { accessKeyId, secretAccessKey, region, url: endpoint } = server
  const kms = new KMSClient({ region, endpoint, credentials: { accessKeyId, secretAccessKey } })
  keyId = (await kms.send(new CreateKeyCommand())).KeyMetadata?.KeyId ?? ''
  kms.destroy()
  bucket = await server.createBucket()
})
afterAll(async () => {
  process.env = before
  await moto?.stop()
})
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakeward-wrong-state-'))
  process.env = {
    ...before,
    ...(moto && { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey }),
    ...(moto && { AWS_REGION: server.region, AWS_ENDPOINT_URL_KMS: server.url }),
    XDG_CONFIG_HOME: join(directory, 'config'),
    LAKEWARD_STATE_KEY: '',
    CRM_SECRET: 'canary-secret',
  }
  return () => rm(directory, { recursive: true, force: true })
})

const s3 = (more: object = {}): object => ({ connector: 's3', bucket, endpoint: server.url, ...more })
const sealed = (id: string): object => s3({ encryption: { mode: 'kms', keyId: id } })
const answer = { accessToken: 'canary-access', kept: {} }

/** Logs in with a state that is kept there, or says what is wrong. */
async function kept(lake: object, state = 'lake', work: 'store' | 'read' = 'store'): Promise<string> {
  const auth = { type: 'client_credentials', clientId: 'id', clientSecret: { env: 'CRM_SECRET' } }
  const crm = { connector: 'salesforce', loginUrl: 'https://acme.my.salesforce.com', auth }
  const path = join(directory, 'lakeward.yaml')
  await writeFile(path, stringify({ version: 1, connections: { crm, lake }, state }))
  try {
    const parts = await openParts({ installation: path })
    try {
      await (work === 'store' ? parts.credentials.store('crm', answer) : parts.credentials.current('crm'))
    } finally {
      await parts.close()
    }
    return 'kept'
  } catch (error) {
    // What a path is worth, is told by whoever shows it, step or command.
    const ofPath = (error as NodeJS.ErrnoException).code === 'ENOTDIR'
    const told = [ConnectorError, InputError, LakeError].some((kind) => error instanceof kind)
    expect(told || ofPath, String(error)).toBe(true)
    const { advice = '' } = error as { advice?: string }
    const text = `${String(error)} ${advice}`
    expect(text).not.toContain('canary')
    return text
  }
}

describe('state stores', () => {
  const lake = { connector: 'file', path: './lake' }
  const wrong: [string, () => Promise<string>, RegExp][] = [
    ['a connection that is not there', () => kept(lake, 'lakes'), /'lakes' is no connection.*lake/],
    ['a connection that is no lake', () => kept(lake, 'crm'), /'crm' is no lake.*a directory or in s3/s],
    [
      'a directory that is a file',
      async () => {
        await writeFile(join(directory, 'a-file'), '')
        return kept({ connector: 'file', path: './a-file' }, 'lake')
      },
      /ENOTDIR: not a directory.*a-file/,
    ],
  ]
  it.each(wrong)('%s', async (_, work, message) => expect(await work()).toMatch(message))

  const away: [string, () => Promise<string>, RegExp][] = [
    ['a bucket that is not there', () => kept(s3({ bucket: 'nobodys-bucket', ...keyed() })), /nobodys-bucket.*bucket/],
    ['an address where nothing is', () => kept(s3({ endpoint: 'http://127.0.0.1:9', ...keyed() })), /127\.0\.0\.1:9/],
    [
      'kms without a key',
      () => kept(s3({ encryption: { mode: 'kms' } })),
      /lake\.encryption\.keyId: .*symmetric KMS key/s,
    ],
  ]
  const keyed = (): object => {
    process.env['LAKEWARD_STATE_KEY'] = key
    return {}
  }
  it.skipIf(!moto).each(away)('%s', async (_, work, message) => expect(await work()).toMatch(message))
})

describe.skipIf(!moto)('keys', () => {
  const withKey = async (text: string, lake: object, work: 'store' | 'read' = 'store'): Promise<string> => {
    process.env['LAKEWARD_STATE_KEY'] = text
    return kept(lake, 'lake', work)
  }

  it('none, where many share the state: no machine makes one of its own', async () => {
    expect(await kept(s3())).toMatch(/shared, and LAKEWARD_STATE_KEY is not set.*mode: kms/)
  })
  it('a text that is no key', async () => {
    expect(await withKey('too short', s3())).toMatch(/LAKEWARD_STATE_KEY is no key.*openssl rand/)
  })
  it('another one than the others have', async () => {
    expect(await withKey(key, s3({ path: 'a' }))).toBe('kept')
    const other = Buffer.alloc(32, 8).toString('base64')
    expect(await withKey(other, s3({ path: 'a' }), 'read')).toMatch(/written with another key. Set LAKEWARD_STATE_KEY/)
  })
  it('a key file that others can read', async () => {
    const file = join(directory, 'config', 'lakeward', 'state.key')
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(file, key)
    await chmod(file, 0o644)
    expect(await kept({ connector: 'file', path: './lake' })).toMatch(/chmod 600/)
  })
  it('a key of KMS that is not there', async () => {
    expect(await kept(sealed('alias/none'))).toMatch(/\[kms\] make a data key under alias\/none .*encryption\.keyId/s)
  })
  it('KMS where there was a key of the environment, and the other way round', async () => {
    expect(await withKey(key, s3({ path: 'b' }))).toBe('kept')
    expect(await kept({ ...sealed(keyId), path: 'b' }, 'lake', 'read')).toMatch(/written under LAKEWARD_STATE_KEY/)
    expect(await kept({ ...sealed(keyId), path: 'c' })).toBe('kept')
    expect(await withKey(key, s3({ path: 'c' }), 'read')).toMatch(/sealed by a key service.*none is configured/)
  })
})
