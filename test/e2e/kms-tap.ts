/** Stands before KMS, passes everything on, and remembers the data keys that were handed out in the clear. */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

export interface KmsTap {
  url: string
  /** In the order they were handed out; those that were opened again as well. */
  keys: Buffer[]
  stop(): void
}

export async function tapKms(target: string): Promise<KmsTap> {
  const keys: Buffer[] = []
  const server = createServer((request, response) => void pass(request, response))
  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const names = ['authorization', 'content-type', 'x-amz-target', 'x-amz-date']
    const headers = Object.fromEntries(names.map((name) => [name, String(request.headers[name] ?? '')]))
    const answer = await fetch(target, { method: 'POST', headers, body: Buffer.concat(chunks) })
    const text = await answer.text()
    const { Plaintext } = JSON.parse(text) as { Plaintext?: string }
    if (Plaintext) keys.push(Buffer.from(Plaintext, 'base64'))
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' }).end(text)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
