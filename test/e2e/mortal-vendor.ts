/**
 * A vendor's token endpoint that dies: in front of the sandbox, it refuses, cuts and loses, and keeps count of what it
 * did. What it lost can be compared with what was found to be lost.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface MortalVendor {
  url: string
  /** Token requests that reached the vendor, those that it granted, and the most at once. */
  asked: number
  granted: number
  most: number
  /** Granted answers that did not get out whole, by our doing or because nobody was there to take them. */
  lost: number
  /** Until when every request is cut before the vendor hears of it. */
  deadUntil: number
  /** Cuts the answer of the next request that is granted. */
  loseNext: boolean
  /** Of an answer, milliseconds: long enough to be killed in. */
  slowMs: number
  stop(): void
}

export async function mortalVendor(target: string): Promise<MortalVendor> {
  let atOnce = 0
  const server = createServer((request, response) => {
    if (performance.now() < vendor.deadUntil) {
      request.socket.destroy()
      return
    }
    vendor.asked++
    vendor.most = Math.max(vendor.most, ++atOnce)
    // Of somebody who was killed, nobody waits any more.
    response.once('close', () => atOnce--)
    void forward(request, response)
  })

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const type = { 'content-type': request.headers['content-type'] ?? '' }
    const body = Buffer.concat(chunks)
    const answer = await fetch(`${target}${request.url}`, { method: request.method ?? 'POST', headers: type, body })
    const text = await answer.text()
    if (answer.ok) vendor.granted++
    await sleep(vendor.slowMs)
    if (answer.ok && vendor.loseNext) {
      vendor.loseNext = false
      vendor.lost++
      request.socket.destroy()
      return
    }
    const gone = once(response, 'close').then(() => !response.writableFinished)
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
    if ((await gone) && answer.ok) vendor.lost++
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const vendor: MortalVendor = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ asked: 0, granted: 0, most: 0, lost: 0, deadUntil: 0, loseNext: false, slowMs: 20 },
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
  return vendor
}
