/** The codec under a key of AWS KMS, as moto plays it: envelopes, few questions, rotation, refusals in words. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCodec } from '../../connectors/codec/codec.ts'
import type { PayloadCodec } from '../../connectors/codec/codec.ts'
import type { Payload } from '../../connectors/codec/payload.ts'
import { orSkip } from '../components.ts'
import { startTestMoto } from '../s3-servers.ts'

const moto = await orSkip(startTestMoto(), 'the codec under KMS')
afterAll(() => moto?.stop())

describe.runIf(moto)('the codec under KMS', () => {
  const region = 'eu-central-1'
  let endpoint = ''
  let kms: KMSClient
  let counted: Counted
  let first: string
  let second: string

  beforeAll(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: moto!.accessKeyId, AWS_SECRET_ACCESS_KEY: moto!.secretAccessKey })
    counted = await countedFront(moto!.url)
    endpoint = counted.url
    kms = new KMSClient({ endpoint, region })
    first = await newKey()
    second = await newKey()
  }, 60_000)
  afterAll(async () => {
    kms?.destroy()
    await counted?.close()
  })

  async function newKey(): Promise<string> {
    return (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.KeyId!
  }
  function codecOf(keys: Record<string, string>, use?: string, at?: string): PayloadCodec {
    const all = Object.entries(keys).map(([id, kmsKey]) => [id, { kmsKey, region, endpoint: at ?? endpoint }])
    return createCodec({ keys: Object.fromEntries(all) as Record<string, { kmsKey: string }>, ...(use && { use }) })
  }
  const json = (value: unknown): Payload => ({
    metadata: { encoding: Buffer.from('json/plain') },
    data: Buffer.from(JSON.stringify(value)),
  })
  const textOf = ([payload]: Payload[]): string => Buffer.from(payload!.data!).toString()

  it('seals by a data key that travels along, wrapped, and another process opens it', async () => {
    const codec = codecOf({ k1: first })
    const sealed = await codec.encode([json('canary'), json('second')])
    expect(Buffer.from(sealed[0]!.data!).toString('latin1')).not.toContain('canary')
    expect(textOf(await codecOf({ k1: first }).decode(sealed))).toBe('"canary"')
    const wrapped = sealed.map(({ data }) => Buffer.from(data!).subarray(0, 40).toString('hex'))
    // One data key sealed both.
    expect(wrapped[0]).toBe(wrapped[1])
  })

  it('asks KMS once, however many payloads there are', async () => {
    const codec = codecOf({ k1: first })
    counted.requests = 0
    await Promise.all(Array.from({ length: 50 }, (_, i) => codec.encode([json(i)])))
    const sealed = await codec.encode([json('last')])
    const other = codecOf({ k1: first })
    await Promise.all(Array.from({ length: 50 }, () => other.decode(sealed)))
    expect(counted.requests).toBe(2)
  })

  it('opens what an earlier key sealed, and a key by reference beside it', async () => {
    const old = await codecOf({ k1: first }).encode([json('old')])
    const rotated = createCodec(
      {
        keys: {
          k1: { kmsKey: first, region, endpoint },
          k2: { kmsKey: second, region, endpoint },
          own: { env: 'OWN' },
        },
        use: 'k2',
      },
      { env: { OWN: Buffer.alloc(32, 1).toString('base64') } },
    )
    expect(textOf(await rotated.decode(old))).toBe('"old"')
    expect(textOf(await rotated.decode(await rotated.encode([json('new')])))).toBe('"new"')
  })

  it.each([
    ['a key that is not there', () => codecOf({ k1: 'alias/none' }), /codec key k1: .*NotFound/, /alias\/NAME/],
    [
      'a service that is not there',
      () => codecOf({ k1: first }, undefined, 'http://127.0.0.1:1'),
      /codec key k1/,
      /endpoint/,
    ],
  ])('says what is wrong with %s', async (_, codec, what, advice) => {
    const failure: unknown = await codec()
      .encode([json('canary')])
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'CodecError', message: expect.stringMatching(what) as string })
    expect((failure as { advice: string }).advice).toMatch(advice)
    expect(String(failure)).not.toContain('canary')
  })

  it.each([
    ['DisabledException', /Enable the key/],
    ['AccessDeniedException', /kms:GenerateDataKey and kms:Decrypt/],
    ['UnrecognizedClientException', /AWS login/],
  ])('says what to do about %s, and asks again the next time', async (refusal, advice) => {
    const codec = codecOf({ k1: first })
    counted.refusal = refusal
    const failure: unknown = await codec.encode([json('canary')]).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'CodecError', message: expect.stringContaining(refusal) as string })
    expect((failure as { advice: string }).advice).toMatch(advice)
    counted.refusal = null
    expect(await codec.encode([json('canary')])).toHaveLength(1)
  })

  it('opens nothing under another id: the encryption context is another', async () => {
    const sealed = await codecOf({ k1: first }).encode([json(1)])
    const data = Buffer.from(sealed[0]!.data!)
    data.write('k2', data.indexOf('k1'))
    await expect(codecOf({ k2: first }).decode([{ ...sealed[0], data }])).rejects.toThrow(/codec key k2/)
  })
})

interface Counted {
  url: string
  requests: number
  /** The error that KMS answers with, instead of an answer. */
  refusal: string | null
  close(): Promise<void>
}

/** Passes requests on and counts them, or refuses as KMS does. */
async function countedFront(target: string): Promise<Counted> {
  const server = createServer((incoming, outgoing) => {
    front.requests++
    if (front.refusal !== null) {
      outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
      outgoing.end(JSON.stringify({ __type: front.refusal, message: 'no' }))
      return
    }
    const { method, headers } = incoming
    const call = request(new URL(incoming.url ?? '/', target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    call.on('error', () => outgoing.destroy())
    incoming.pipe(call)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const front: Counted = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: 0,
    refusal: null,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return front
}
