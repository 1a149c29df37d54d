/** The codec alone: what it seals, what it opens, and what it says where it cannot. */
import { temporal } from '@temporalio/proto'
import { describe, expect, it } from 'vitest'
import { CodecError, createCodec } from '../../connectors/codec/codec.ts'
import type { PayloadCodec } from '../../connectors/codec/codec.ts'
import { payloadBytes, payloadOf } from '../../connectors/codec/payload.ts'
import type { Payload } from '../../connectors/codec/payload.ts'
import { InputError } from '../../connectors/errors.ts'

const base64Key = (fill: number): string => Buffer.alloc(32, fill).toString('base64')
const env = { A: base64Key(1), B: Buffer.alloc(32, 2).toString('hex'), OTHER_A: base64Key(9), SHORT: 'c2hvcnQ=' }
const codecOf = (keys: Record<string, { env: string }>, use?: string): PayloadCodec =>
  createCodec({ keys, ...(use && { use }) }, { env })

const json = (value: unknown): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
})
const valueOf = ({ data }: Payload): unknown => JSON.parse(Buffer.from(data ?? []).toString())
const one = async (codec: PayloadCodec, doing: 'encode' | 'decode', payload: Payload): Promise<Payload> =>
  (await codec[doing]([payload]))[0]!

describe('a sealed payload', () => {
  it('opens to what it was, and shows nothing of it', async () => {
    const codec = codecOf({ a: { env: 'A' } })
    const sealed = await one(codec, 'encode', json({ name: 'canary' }))
    expect(Buffer.from(payloadBytes(sealed)).toString('latin1')).not.toMatch(/canary|json/)
    expect(Object.keys(sealed.metadata ?? {})).toEqual(['encoding'])
    const clear = await one(codec, 'decode', sealed)
    expect(valueOf(clear)).toEqual({ name: 'canary' })
    expect(Buffer.from(clear.metadata!['encoding']!).toString()).toBe('json/plain')
  })

  it('is another one each time', async () => {
    const codec = codecOf({ a: { env: 'A' } })
    const [first, second] = await codec.encode([json(1), json(1)])
    expect(Buffer.from(first!.data!).equals(Buffer.from(second!.data!))).toBe(false)
  })

  it('opens after another key took over, as long as its own is kept', async () => {
    const old = await one(codecOf({ a: { env: 'A' } }), 'encode', json('old'))
    const rotated = codecOf({ a: { env: 'A' }, b: { env: 'B' } }, 'b')
    const fresh = await one(rotated, 'encode', json('new'))
    expect((await rotated.decode([old, fresh])).map(valueOf)).toEqual(['old', 'new'])
    await expect(codecOf({ a: { env: 'A' } }).decode([fresh])).rejects.toThrow(/codec key b.*not known here \(a are\)/)
  })

  it('of a summary of 90 letters stays below the 400 bytes that Temporal takes', async () => {
    const KMS_WRAPPED = 184
    const sealed = await one(codecOf({ 'key-of-2026-11-1': { env: 'A' } }), 'encode', json('x'.repeat(90)))
    expect(payloadBytes(sealed).length + KMS_WRAPPED).toBeLessThan(400)
  })

  it.each([
    ['changed', (bytes: Buffer) => bytes.fill(bytes.at(-20)! ^ 1, bytes.length - 20, bytes.length - 19)],
    ['under another key of its id', (bytes: Buffer) => bytes],
    ['with another id', (bytes: Buffer) => (bytes.write('b', bytes.indexOf('a', 6)), bytes)],
  ])('does not open where it is %s', async (how, change) => {
    const sealed = await one(codecOf({ a: { env: 'A' }, b: { env: 'A' } }, 'a'), 'encode', json(1))
    const data = change(Buffer.from(sealed.data!))
    const keys = { a: { env: how.includes('another key') ? 'OTHER_A' : 'A' }, b: { env: 'A' } }
    const failure = codecOf(keys, 'a').decode([{ ...sealed, data }])
    await expect(failure).rejects.toThrow(/does not open under codec key [ab]/)
    await expect(failure).rejects.toBeInstanceOf(CodecError)
  })
})

describe('other payloads', () => {
  it('that were never sealed pass through', async () => {
    expect(await codecOf({ a: { env: 'A' } }).decode([json('clear')])).toEqual([json('clear')])
  })

  it('of other codecs are told apart', async () => {
    const foreign = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('who knows') }
    await expect(codecOf({ a: { env: 'A' } }).decode([foreign])).rejects.toThrow(/by another codec/)
  })

  it('have the bytes that Temporal gives them', () => {
    const payload = {
      metadata: { encoding: Buffer.from('json/plain'), more: Buffer.from([1, 2]) },
      data: Buffer.from('7'),
    }
    const { Payload: theirs } = temporal.api.common.v1
    expect(Buffer.from(payloadBytes(payload))).toEqual(Buffer.from(theirs.encode(payload).finish()))
    const read = payloadOf(theirs.encode(payload).finish())
    expect(Buffer.from(read.data!).toString()).toBe('7')
    expect(Object.keys(read.metadata!)).toEqual(['encoding', 'more'])
  })
})

describe('keys', () => {
  it.each([
    ['that are not there', { a: { env: 'NONE' } }, /environment variable NONE is not set/],
    ['that are too short', { a: { env: 'SHORT' } }, /codec key a is no key: 32 bytes/],
    ['in a file that is not there', { a: { file: '/nowhere/key' } }, /does not exist/],
  ])('%s are told when they are needed, and no earlier', async (_, keys, what) => {
    const codec = createCodec({ keys }, { env })
    await expect(codec.encode([json(1)])).rejects.toThrow(what)
    await expect(codec.decode([json(1)])).resolves.toHaveLength(1)
  })

  it('of which none is chosen are refused at once', () => {
    expect(() => codecOf({ a: { env: 'A' }, b: { env: 'B' } })).toThrow(InputError)
    expect(() => codecOf({ a: { env: 'A' } }, 'c')).toThrow(/'c' is no key/)
  })
})
