/** A shop that signs what it sends, and sends again what was not taken, as vendors do. */
import { createHmac } from 'node:crypto'
import { Agent, request } from 'undici'
import { pause } from './until.ts'
import { freshWord } from './canary-search.ts'

export const SHOP_SECRET = freshWord('shop')

export interface Told {
  status: number
  body: string
  headers: Record<string, unknown>
}

export const orderOf = (n: number, sentMs: number) => ({
  id: `evt-${n}`,
  type: n % 2 === 0 ? 'order.created' : 'order.paid',
  number: n,
  total: `${n}.07`,
  placed_at: new Date(sentMs).toISOString(),
  note: `Näme "${n}"\n`,
})

export function signed(body: string, { atMs = Date.now(), secret = SHOP_SECRET } = {}): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000))
  const digest = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return { 'x-shop-timestamp': timestamp, 'x-shop-signature': `sha256=${digest}` }
}

export class Shop {
  readonly url: string
  readonly #agent = new Agent({ connections: 64, pipelining: 1 })
  /** Requests that were not taken, and were sent again. */
  again = 0

  constructor(url: string) {
    this.url = url
  }

  async post(
    body: string | Uint8Array,
    headers: Record<string, string>,
    path = '/hooks/shop',
    method = 'POST',
  ): Promise<Told> {
    const told = await request(`${this.url}${path}`, {
      method: method as 'POST',
      body,
      headers,
      dispatcher: this.#agent,
    })
    return { status: told.statusCode, body: await told.body.text(), headers: told.headers }
  }

  /** Orders from ≤ n < to, so many a second, each tenth of them twice; resolves when all are taken. */
  async send(from: number, to: number, perSecond: number): Promise<void> {
    const beganMs = Date.now()
    const sent: Promise<void>[] = []
    for (let n = from; n < to; n++) {
      const dueMs = beganMs + ((n - from) * 1000) / perSecond
      if (dueMs > Date.now()) await pause(dueMs - Date.now())
      sent.push(this.#deliver(n))
      if (n % 10 === 0) sent.push(this.#deliver(n))
    }
    await Promise.all(sent)
  }

  async #deliver(n: number): Promise<void> {
    const body = JSON.stringify(orderOf(n, Date.now()))
    for (;;) {
      const told = await this.post(body, signed(body)).catch(() => null)
      if (told?.status === 200) return
      if (told && ![429, 503].includes(told.status)) throw new Error(`order ${n}: ${told.status} ${told.body}`)
      this.again++
      await pause(100 + Math.random() * 400)
    }
  }

  close(): Promise<void> {
    return this.#agent.close()
  }
}
