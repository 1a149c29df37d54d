/** Takes notifications as docs/notifications.md tells a receiver to: proves the signature, keeps what came. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Told {
  id: string
  'detail-type': string
  source: string
  time: string
  detail: Record<string, unknown>
}

export interface Receiver {
  url: string
  /** Every request that was proven, with the body as it came. */
  told: { body: string; event: Told }[]
  /** Answers of the next requests, instead of 200. */
  answers: number[]
  stop(): Promise<void>
}

export async function openReceiver(secret: string): Promise<Receiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      if (!isProven(request.headers, body)) return void response.writeHead(401).end()
      const event = JSON.parse(body.toString('utf8')) as Told
      const status = receiver.answers.shift() ?? 200
      const sameId = event.id === request.headers['x-lakeward-id']
      if (sameId) receiver.told.push({ body: body.toString('utf8'), event })
      return void response.writeHead(status).end()
    })
  })
  const isProven = (headers: Record<string, string | string[] | undefined>, body: Buffer): boolean => {
    const timestamp = String(headers['x-lakeward-timestamp'])
    if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false
    const right = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest()
    return String(headers['x-lakeward-signature'])
      .split(',')
      .map((one) => Buffer.from(one.replace(/^v1=/, ''), 'hex'))
      .some((given) => given.length === right.length && timingSafeEqual(given, right))
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/lakeward`,
    told: [],
    answers: [],
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}
