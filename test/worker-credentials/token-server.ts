import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TokenServer {
  url: string
  /** Refresh tokens (or `client`) that were sent, in order. */
  calls: string[]
  delayMs: number
  /** The refresh token it takes next, where it rotates them. */
  valid: string
  /** Answers this instead, once each. */
  instead: ({ status: number; body: string } | 'close')[]
  /** Called before an answer is sent. */
  before: (() => Promise<void>) | null
  stop(): void
}

/** Hands out canary-access-1, -2 …; with `rotate` every refresh token works once and is replaced by the next. */
export async function tokenServer(rotate = false): Promise<TokenServer> {
  let issued = 0
  const server = createServer((request, response) => {
    void (async () => {
      let form = ''
      for await (const chunk of request) form += String(chunk)
      const sent = new URLSearchParams(form)
      const refreshToken = sent.get('refresh_token')
      state.calls.push(refreshToken ?? 'client')
      const wrong = rotate && refreshToken !== state.valid
      if (rotate && !wrong) state.valid = `canary-refresh-${issued + 1}`
      await new Promise((resolve) => setTimeout(resolve, state.delayMs))
      await state.before?.()
      const instead = state.instead.shift()
      if (instead === 'close') response.destroy()
      else if (instead) response.writeHead(instead.status).end(instead.body)
      else if (wrong) {
        const refusal = { error: 'invalid_grant', error_description: 'expired access/refresh token' }
        response.writeHead(400).end(JSON.stringify(refusal))
      } else response.end(JSON.stringify(token()))
    })()
  })
  const token = () => ({
    access_token: `canary-access-${++issued}`,
    instance_url: state.url,
    id: `${state.url}/id/00D1/0051`,
    ...(rotate ? { refresh_token: state.valid } : {}),
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const state: TokenServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    delayMs: 0,
    valid: 'canary-refresh-0',
    instead: [],
    before: null,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
  return state
}
