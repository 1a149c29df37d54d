/** State in a store that many share, and under a key service: every seal keeps the same promises. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConnectorError } from '../../connectors/errors.ts'
import { kmsKeys } from '../../connectors/s3/kms-keys.ts'
import type { DataKeys } from '../../connectors/lake/data-keys.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { lakeState } from '../../worker/installation-state.ts'
import { envelopeSealer, keySealer } from '../../worker/state-seal.ts'
import { openState } from '../../worker/state.ts'
import type { Sealer } from '../../worker/state.ts'
import { orSkip } from '../components.ts'
import { MemoryPlace, memoryStore } from '../lake/memory-store.ts'
import { startTestMoto } from '../s3-servers.ts'
import type { TestS3 } from '../s3-servers.ts'

const moto = await orSkip(startTestMoto(), 'state under KMS')
afterAll(() => moto?.stop())

const key = Buffer.alloc(32, 7)
const value = { token: 'canary-of-state' }
const textOf = (place: MemoryPlace): string =>
  [...place.objects.values()].map(({ body }) => Buffer.from(body).toString('utf8')).join('\n')

async function said(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error: unknown) => `${(error as Error).name} ${String(error)} ${(error as { advice?: string }).advice ?? ''}`,
  )
}

describe('a create that is not what it says', () => {
  const failing = (fail: (store: ObjectStore, at: string, body: Uint8Array) => Promise<'created' | 'exists'>) => {
    const store = memoryStore()
    return openState({ ...bound(store), create: (at, body) => fail(store, at, body) }, keySealer(key))
  }

  it('but was: its answer was lost, or a repeated request met its own object', async () => {
    const lost = failing(async (store, at, body) => {
      await store.create(at, body)
      throw new Error('no answer')
    })
    expect(await lost.write('a', value, 0)).toBe(true)
    const repeated = failing(async (store, at, body) => {
      await store.create(at, body)
      return 'exists'
    })
    expect(await repeated.write('a', value, 0)).toBe(true)
    expect(await repeated.read('a')).toEqual({ version: 1, value })
  })

  it('and was not: nobody is told a version that is not there', async () => {
    const down = failing(() => Promise.reject(new Error('no answer')))
    await expect(down.write('a', value, 0)).rejects.toThrow('no answer')
    const racing = failing(async (store, at) => {
      await openState(store, keySealer(key)).write('a', { other: true }, 0)
      expect(await store.head(at)).not.toBeNull()
      return 'created'
    })
    expect(await racing.write('a', value, 0)).toBe(false)
  })
})

describe('keys', () => {
  const wrong: [string, () => Promise<unknown>, RegExp][] = [
    [
      'a shared store without a key: none is made on one machine',
      () => lakeState(memoryStore(), {}),
      /shared, and LAKEWARD_STATE_KEY is not set.*same key.*mode: kms/,
    ],
    [
      'a key that is not the one of the others',
      async () => {
        const place = new MemoryPlace()
        await openState(memoryStore(place), keySealer(key)).write('a', value, 0)
        return openState(memoryStore(place), keySealer(Buffer.alloc(32, 8))).read('a')
      },
      /StateError .*memory:\/a\.00000001\.json was written with another key\. Set LAKEWARD_STATE_KEY/,
    ],
  ]
  it.each(wrong)('%s', async (_, work, message) => {
    const before = process.env['LAKEWARD_STATE_KEY']
    delete process.env['LAKEWARD_STATE_KEY']
    const text = await said(work())
    if (before !== undefined) process.env['LAKEWARD_STATE_KEY'] = before
    expect(text).toMatch(message)
    expect(text).not.toContain('canary')
  })
})

describe.skipIf(!moto)('under KMS', () => {
  const server = moto as TestS3
  const login = () => ({ accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey })
  const keysOf = (keyId: string, more = {}): DataKeys =>
    kmsKeys({ keyId, region: server.region, endpoint: server.url, credentials: login(), ...more })
  let client: KMSClient
  let keyId: string
  const newKey = async (more: object = {}): Promise<string> =>
    (await client.send(new CreateKeyCommand(more))).KeyMetadata?.KeyId ?? ''
  beforeAll(async () => {
    client = new KMSClient({ region: server.region, endpoint: server.url, credentials: login() })
    keyId = await newKey()
    await client.send(new CreateAliasCommand({ AliasName: 'alias/lake', TargetKeyId: keyId }))
  })
  afterAll(() => client.destroy())

  it('every write has a data key of its own, which is gone from memory after it', async () => {
    const place = new MemoryPlace()
    const seen: { key: Uint8Array; was: Buffer }[] = []
    const watched = watch(keysOf('alias/lake'), (data) => seen.push({ key: data, was: Buffer.from(data) }))
    const state = openState(memoryStore(place), envelopeSealer(watched))
    for (let version = 0; version < 3; version++) expect(await state.write('connection/crm', value, version)).toBe(true)
    expect(await state.read('connection/crm')).toEqual({ version: 3, value })
    expect(new Set(seen.map(({ was }) => was.toString('hex'))).size).toBe(3)
    expect(seen).toHaveLength(4) // the last one twice: made, and opened
    for (const { key: data, was } of seen) {
      expect(data.every((byte) => byte === 0)).toBe(true)
      for (const encoding of ['latin1', 'base64', 'hex'] as const) {
        expect(textOf(place)).not.toContain(was.toString(encoding))
      }
    }
    expect(textOf(place)).not.toContain('canary')
  })

  it('a document opens as the one it was written as, and as no other', async () => {
    const place = new MemoryPlace()
    const state = openState(memoryStore(place), envelopeSealer(keysOf(keyId)))
    await state.write('connection/crm', value, 0)
    const [[path, { body }] = ['', { body: new Uint8Array() }]] = [...place.objects]
    place.objects.set(path.replace('crm', 'crm2'), { body })
    expect(await said(state.read('connection/crm2'))).toContain('moved here from another document')
    place.objects.set(path.replace('00000001', '00000002'), { body })
    expect(await said(state.read('connection/crm'))).toContain('moved here from another document')
  })

  it('what an earlier key of the alias has sealed opens still', async () => {
    const place = new MemoryPlace()
    const [before, after] = [keyId, await newKey()].map((id) =>
      openState(memoryStore(place), envelopeSealer(keysOf(id))),
    )
    await before!.write('connection/crm', value, 0)
    expect(await after!.read('connection/crm')).toEqual({ version: 1, value })
  })

  const sealed = async (sealer: Sealer): Promise<MemoryPlace> => {
    const place = new MemoryPlace()
    await openState(memoryStore(place), sealer).write('connection/crm', value, 0)
    return place
  }
  const reading = (place: MemoryPlace, sealer: Sealer) => openState(memoryStore(place), sealer).read('connection/crm')
  const writing = (keys: DataKeys) => openState(memoryStore(), envelopeSealer(keys)).write('connection/crm', value, 0)

  const wrong: [string, () => Promise<unknown>, RegExp][] = [
    ['a key that is not there', () => writing(keysOf('alias/none')), /make a data key under alias\/none failed.*keyId/],
    [
      'a key service that is away',
      () => writing(keysOf(keyId, { endpoint: 'http://127.0.0.1:9' })),
      /make a data key .* failed/,
    ],
    [
      'a state of LAKEWARD_STATE_KEY, now under KMS',
      async () => reading(await sealed(keySealer(key)), envelopeSealer(keysOf(keyId))),
      /StateError .*was written under LAKEWARD_STATE_KEY/,
    ],
    [
      'a state of KMS, now without',
      async () => reading(await sealed(envelopeSealer(keysOf(keyId))), keySealer(key)),
      /StateError .*sealed by a key service \(arn:aws:kms:.*\), and none is configured\. .*mode: kms/,
    ],
    [
      'a data key that was tampered with',
      async () => {
        const place = await sealed(envelopeSealer(keysOf(keyId)))
        for (const object of place.objects.values()) {
          const document = JSON.parse(Buffer.from(object.body).toString()) as { dataKey: string }
          document.dataKey = Buffer.from(document.dataKey, 'base64').reverse().toString('base64')
          object.body = Buffer.from(JSON.stringify(document))
        }
        return reading(place, envelopeSealer(keysOf(keyId)))
      },
      /(is damaged|failed: NotFoundException)/,
    ],
  ]
  it.each(wrong)('%s is told', async (_, work, message) => {
    const text = await said(work())
    expect(text).toMatch(message)
    expect(text).not.toContain('canary')
    expect(text.includes('StateError') || text.includes('[kms]')).toBe(true)
  })

  // moto lets everybody use every key: what KMS says of others, it says here by its own documentation.
  it.each([
    ['DisabledException', 'forbidden', 'Enable the key'],
    ['KMSInvalidStateException', 'forbidden', 'cancel its deletion'],
    ['AccessDeniedException', 'forbidden', 'kms:GenerateDataKey and kms:Decrypt'],
    ['InvalidKeyUsageException', 'rejected', 'symmetric key'],
    ['ExpiredTokenException', 'auth', 'AWS login'],
    ['ThrottlingException', 'throttled', 'limits requests'],
    ['KMSInternalException', 'transient', ''],
  ])('%s is told as %s', async (name, kind, advice) => {
    const service = createServer((_, response) => {
      const status = kind === 'transient' ? 500 : 400
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify({ __type: name, message: 'said by KMS' }))
    })
    service.listen(0, '127.0.0.1')
    await once(service, 'listening')
    const endpoint = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
    const error: unknown = await writing(keysOf('alias/lake', { endpoint })).catch((thrown: unknown) => thrown)
    service.close()
    expect(error).toBeInstanceOf(ConnectorError)
    expect(error).toMatchObject({ kind, message: expect.stringContaining(`${name}: said by KMS`) as string })
    expect((error as ConnectorError).advice ?? '').toContain(advice)
  })
})

function watch(keys: DataKeys, see: (key: Uint8Array) => void): DataKeys {
  return {
    name: keys.name,
    async generate(context) {
      const made = await keys.generate(context)
      see(made.key)
      return made
    },
    async open(bytes, context) {
      const opened = await keys.open(bytes, context)
      if (opened) see(opened)
      return opened
    },
  }
}

/** The store's methods apart from it, so that one can be replaced. */
function bound(store: ObjectStore): ObjectStore {
  return {
    name: store.name,
    settleMs: store.settleMs,
    list: (prefix, options) => store.list(prefix, options),
    get: (at) => store.get(at),
    head: (at) => store.head(at),
    create: (at, body) => store.create(at, body),
    put: (at, body) => store.put(at, body),
    delete: (at) => store.delete(at),
    stage: (file) => store.stage(file),
    complete: (file) => store.complete(file),
    abort: (file) => store.abort(file),
    staged: (areas, prefix) => store.staged(areas, prefix),
    settle: (keys) => store.settle(keys),
  }
}
