/** Vendors that say no: what AWS documents for a mistake, for each bucket or role by its name. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Refusal {
  status: number
  body: string
  headers?: Record<string, string>
}

export interface StandIn {
  url: string
  stop(): Promise<void>
}

/** Answers every request that names one of these, in its path or body, with its refusal. */
export async function startStandIn(refusals: Record<string, Refusal>): Promise<StandIn> {
  const server = createServer((request, answer) => {
    let asked = `${request.url} `
    request.on('data', (chunk: Buffer) => (asked += chunk.toString('latin1')))
    request.on('end', () => {
      const name = Object.keys(refusals).find((one) => asked.includes(one))
      const { status, body, headers } = refusals[name ?? ''] ?? { status: 404, body: '' }
      answer.writeHead(status, { 'content-type': 'application/xml', ...headers })
      answer.end(request.method === 'HEAD' ? undefined : body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
export const s3Refusal = (status: number, code: string, message: string, more = ''): Refusal => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`,
})

// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
export const stsRefusal = (status: number, code: string, message: string): Refusal => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body:
    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>' +
    `<Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
})
