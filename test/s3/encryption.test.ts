/** What goes over the wire, seen by a proxy before a server: encryption on every write, checksums on every part. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import type { Encryption } from '../../connectors/lake/s3/s3-calls.ts'
import { describeOnS3, storeOn } from './s3-place.ts'

interface Seen {
  method: string
  url: string
  headers: Record<string, unknown>
}

/** Everything that passes to `url` meanwhile. */
async function watching(url: string, work: (through: string) => Promise<void>): Promise<Seen[]> {
  const seen: Seen[] = []
  const proxy = createServer((from, answer) => {
    seen.push({ method: from.method ?? '', url: from.url ?? '', headers: { ...from.headers } })
    const onwards = request(`${url}${from.url}`, { method: from.method, headers: from.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers)
      got.pipe(answer)
    })
    onwards.on('error', () => answer.destroy())
    from.pipe(onwards)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  try {
    await work(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
  } finally {
    proxy.closeAllConnections()
    await new Promise((resolve) => proxy.close(resolve))
  }
  return seen
}

const AS_S3 = { 'x-amz-server-side-encryption': 'AES256' }
const AS_KMS = {
  'x-amz-server-side-encryption': 'aws:kms',
  'x-amz-server-side-encryption-aws-kms-key-id': 'alias/lake',
  'x-amz-server-side-encryption-bucket-key-enabled': 'true',
}
const cases: [Encryption, Record<string, string>][] = [
  [{ mode: 'none' }, {}],
  [{ mode: 's3' }, AS_S3],
  [{ mode: 'kms', keyId: 'alias/lake' }, AS_KMS],
]

describeOnS3('a write', (server) => {
  it.each(cases)('is encrypted as %o says, and its parts carry checksums', async (encryption, expected) => {
    const bucket = await server.createBucket()
    let key = ''
    const seen = await watching(server.url, async (url) => {
      const store = storeOn({ ...server, url }, bucket, { encryption })
      await store.create('a/entry', Buffer.from('{}'))
      await store.put('a/hint', Buffer.from('{}'))
      const writer = await store.stage({ key: 'data/file', area: '', unit: 'u1' })
      for (let part = 0; part < 3; part++) await writer.write(new Uint8Array(7_000_000))
      const file = await writer.close()
      expect(file.parts?.map(({ number, crc32 }) => [number, typeof crc32])).toEqual([
        [1, 'string'],
        [2, 'string'],
        [3, 'string'],
      ])
      expect(await store.complete(file)).toBe('done')
      key = `a/lake/${file.key}`
    })
    const writes = seen.filter(
      ({ method, url }) => (method === 'PUT' && !url.includes('partNumber')) || url.endsWith('uploads='),
    )
    const headersOf = ({ headers }: Seen): Record<string, unknown> =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-server-side')))
    expect(writes.map(headersOf)).toEqual([expected, expected, expected])
    const parts = seen.filter(({ url }) => url.includes('partNumber'))
    expect(parts).toHaveLength(3)
    for (const { headers } of parts) expect(headers['x-amz-checksum-crc32']).toEqual(expect.any(String))
    const found = await server.client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    expect(found).toMatchObject({ ContentLength: 21_000_000, Metadata: { 'lakeward-unit': 'u1' } })
    if (server.name === 'moto' && encryption.mode !== 'none') {
      expect(found.ServerSideEncryption).toBe(expected['x-amz-server-side-encryption'])
      if (encryption.keyId) expect(found.SSEKMSKeyId).toContain(encryption.keyId)
    }
  })
})
