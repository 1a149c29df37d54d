/** Objects of a bucket as a source, on a real server: versions by ETag, ranges, answers that break off. */
import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import zlib from 'node:zlib'
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { s3 } from '../../connectors/s3/s3.ts'
import { orSkip } from '../components.ts'
import { startTestVersitygw } from '../s3-servers.ts'
import type { TestS3 } from '../s3-servers.ts'
import { FileReader } from './file-reader.ts'

const csv = { format: 'csv', schema: { id: 'int64', name: 'string' } } as const

describe('a bucket of files', () => {
  let server: TestS3 | null
  let bucket: string
  let reader: FileReader
  beforeAll(async () => {
    server = await orSkip(startTestVersitygw(), 'a bucket of files')
  })
  afterAll(() => server?.stop())
  beforeEach(async (test) => {
    test.skip(server === null, 'there is no versitygw here')
    bucket = await server!.createBucket()
    reader = readerAt(server!.url)
  })

  function readerAt(endpoint: string): FileReader {
    const { region, accessKeyId, secretAccessKey } = server!
    return new FileReader(
      s3,
      { bucket, path: 'in', endpoint, region },
      () => () => Promise.resolve({ accessKeyId, secretAccessKey }),
    )
  }
  const put = (name: string, Body: string | Uint8Array) =>
    server!.client.send(
      new PutObjectCommand({ Bucket: bucket, Key: name.startsWith('/') ? name.slice(1) : `in/${name}`, Body }),
    )
  const ids = ({ rows }: { rows: Record<string, string | null>[] }) =>
    rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b)

  it('objects come once by key and ETag, also those that were put there late; a ledger beside them never', async () => {
    await put('orders/1.csv', 'id,name\n1,a\n')
    await put('orders/2.csv', 'id,name\n2,b\n')
    await put('_lakeward/x/1.csv', 'id\n9\n')
    await put('/other/3.csv', 'id\n9\n')
    await put('orders/', '')
    const first = await reader.run('**.csv', csv)
    expect(ids(first)).toEqual([1, 2])
    await put('orders/0.csv', 'id,name\n3,c\n')
    await put('orders/1.csv', 'id,name\n4,a\n')
    await put('orders/2.csv', 'id,name\n2,b\n') // the same content once more
    const second = await reader.run('**.csv', csv, { state: first.state })
    expect(ids(second)).toEqual([3, 4])
    expect((await reader.run('**.csv', csv, { state: second.state })).rows).toEqual([])
  })

  const large = `id,name\n${Array.from({ length: 150_000 }, (_, i) => `${i},"x, ""${i}"""\n`).join('')}`

  it.each([
    ['plain', Buffer.from(large)],
    ['gzip', zlib.gzipSync(large)],
  ])('a large one comes in pages, from every cursor the rest: %s', async (_, body) => {
    await put('1.csv', body)
    const plan = await reader.plan('*.csv', csv)
    const bytesFrom = async (from: Parameters<FileReader['pages']>[2]) => {
      const sizes: { next: typeof from; bytes: number }[] = []
      for await (const page of reader.pages(plan, plan.ranges[0]!, from)) {
        sizes.push({ next: page.next, bytes: (page.body as Uint8Array).length })
      }
      return sizes
    }
    const sum = (sizes: { bytes: number }[]): number => sizes.reduce((all, { bytes }) => all + bytes, 0)
    const pages = await bytesFrom(null)
    expect([pages.length > 2, sum(pages)]).toEqual([true, Buffer.byteLength(large) - 'id,name\n'.length])
    expect(sum(await bytesFrom(pages[1]!.next))).toBe(sum(pages.slice(2)))
  })

  it.each([
    ['changes', () => put('1.csv', large.replaceAll('x', 'y')), 'has changed'],
    ['goes', () => server!.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'in/1.csv' })), 'is gone'],
  ])('one that %s between two units makes the run begin again', async (_, change, how) => {
    await put('1.csv', large)
    const plan = await reader.plan('*.csv', csv)
    const pages = reader.pages(plan, plan.ranges[0]!, null)
    const { value } = await pages.next()
    await pages.return(undefined)
    await change()
    const error = await reader
      .pages(plan, plan.ranges[0]!, value.next)
      .next()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'cursor-expired', reason: expect.stringContaining(how) as string })
  })

  it('an answer that breaks off is asked for again from there', async () => {
    await put('1.csv', large)
    let broken = 0
    const gate = createServer((incoming, outgoing) => {
      const { host, port } = new URL(server!.url)
      const onward = ask({
        host: host.split(':')[0],
        port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      })
      onward.on('response', (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers)
        let sent = 0
        answer.on('data', (piece: Buffer) => {
          sent += piece.length
          if (sent > 700_000 && broken < 2) {
            broken++
            outgoing.destroy()
          } else outgoing.write(piece)
        })
        answer.on('end', () => outgoing.end())
      })
      incoming.pipe(onward)
    })
    await new Promise<void>((resolve) => void gate.listen(0, '127.0.0.1', resolve))
    try {
      // The signature is for the address that is asked, so the gate hands the header on as it is.
      const found = await readerAt(`http://127.0.0.1:${(gate.address() as AddressInfo).port}`).run('*.csv', csv)
      expect([found.rows.length, new Set(ids(found)).size, broken]).toEqual([150_000, 150_000, 2])
    } finally {
      gate.closeAllConnections()
      await new Promise((resolve) => void gate.close(resolve))
    }
  })

  it('a bucket that is not there says so', async () => {
    bucket = 'no-such-bucket-here'
    await expect(readerAt(server!.url).plan('*.csv', csv)).rejects.toThrow(/there is no bucket/)
  })
})
