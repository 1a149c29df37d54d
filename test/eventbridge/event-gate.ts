/**
 * A gate in front of moto's EventBridge that says no as EventBridge does: it takes ten entries and a limit of bytes,
 * fails entries one by one, and can refuse whoever asks. Everything else goes through.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Entry {
  Source: string
  DetailType: string
  Detail: string
}
type Result = { EventId: string } | { ErrorCode: string; ErrorMessage: string }

export interface EventGate {
  url: string
  /** Requests to put events, by the number of their entries. */
  requests: number[]
  /** What becomes of an entry; `lost` is delivered, and told as failed. Default: all are taken. */
  fate: (entry: Entry) => 'taken' | 'lost' | { code: string }
  /** A request of this action is refused by this error. */
  refusal: { action: string; code: string; message: string } | null
  /** Called behind each request that went through. */
  passed: () => Promise<void>
  stop(): Promise<void>
}

const LIMIT = 256 * 1024

export async function openEventGate(target: string): Promise<EventGate> {
  const gate: EventGate = {
    url: '',
    requests: [],
    fate: () => 'taken',
    refusal: null,
    passed: () => Promise.resolve(),
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy())
  })
  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).filter(([name]) => !['host', 'content-length', 'connection'].includes(name)),
    ) as Record<string, string>
    const pass = async (sent: Uint8Array) => {
      const got = await fetch(target + incoming.url, {
        method: incoming.method ?? 'GET',
        headers,
        ...(sent.length > 0 && { body: sent as Uint8Array<ArrayBuffer> }),
      })
      return { status: got.status, type: got.headers.get('content-type') ?? '', text: await got.text() }
    }
    const say = (status: number, value: unknown): void =>
      void outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(value))
    const action = (headers['x-amz-target'] ?? '').split('.').at(-1) ?? ''
    if (gate.refusal?.action === action) {
      return say(400, { __type: gate.refusal.code, message: gate.refusal.message })
    }
    if (action !== 'PutEvents') {
      const { status, type, text } = await pass(body)
      return void outgoing.writeHead(status, { 'content-type': type }).end(text)
    }
    const { Entries } = JSON.parse(body.toString()) as { Entries: Entry[] }
    gate.requests.push(Entries.length)
    const bytes = Entries.reduce((sum, one) => sum + sizeOf(one), 0)
    if (Entries.length > 10 || bytes >= LIMIT) {
      const message = 'Total size of the entries in the request is over the limit.'
      return say(400, { __type: 'ValidationException', message })
    }
    const fates = Entries.map((entry) => gate.fate(entry))
    const through = Entries.filter((_, at) => typeof fates[at] === 'string')
    const passed = through.length > 0 ? await pass(Buffer.from(JSON.stringify({ Entries: through }))) : null
    if (passed && passed.status !== 200) {
      return void outgoing.writeHead(passed.status, { 'content-type': passed.type }).end(passed.text)
    }
    await gate.passed()
    const taken = passed ? (JSON.parse(passed.text) as { Entries: Result[] }).Entries : []
    const results = fates.map((fate): Result => {
      const own = typeof fate === 'string' ? taken.shift()! : { ErrorCode: fate.code, ErrorMessage: 'made up' }
      return fate === 'lost' ? { ErrorCode: 'InternalFailure', ErrorMessage: 'the answer was lost' } : own
    })
    const FailedEntryCount = results.filter((one) => 'ErrorCode' in one).length
    return say(200, { FailedEntryCount, Entries: results })
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  gate.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return gate
}

const sizeOf = ({ Source, DetailType, Detail }: Entry): number =>
  [Source, DetailType, Detail].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
