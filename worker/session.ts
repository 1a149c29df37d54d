/** Sessions: a connector's view of one connection, with login, transport, retries and redaction behind it. */
import type { Connector, JsonObject, Session } from '../connectors/connector.ts'
import { ConnectorError } from '../connectors/errors.ts'
import { httpClient } from '../connectors/http.ts'
import type { Meter, Retry, Tokens } from '../connectors/http.ts'
import type { Credentials } from './credentials.ts'
import type { Wires } from './wires.ts'

export interface SessionSetup {
  connection: string
  connector: Connector
  /** As the connector's own schema parsed them. */
  settings: JsonObject
  /** `auth.type` of the connection; null: none. */
  authType: string | null
  allowInsecure?: boolean
  /** For connectors that take keys of AWS, or sign what they send. */
  aws?: Session['aws']
  sign?: Session['sign']
  staging?: Session['staging']
  credentials: Credentials
  wires: Wires
  signal: AbortSignal
  beat: (position: string) => void
  note: (text: string) => void
  /** Asks for a token newer than `staleVersion`, once for everybody; absent: this process asks the vendor itself. */
  renew?: (staleVersion: number) => Promise<void>
  meter?: Meter
  retry?: Partial<Retry>
}

export function makeSession(setup: SessionSetup): Session {
  const { connection, connector, settings, credentials, signal, beat, note } = setup
  const kind = connector.auth.find(({ type }) => type === setup.authType)
  const http = httpClient({
    connector,
    settings,
    send: kind?.send ?? 'none',
    tokens: kind && kind.send !== 'none' ? tokensOf(setup) : null,
    wire: setup.wires.of(connection),
    signal,
    allowInsecure: setup.allowInsecure ?? false,
    secrets: () => credentials.secrets(connection),
    note,
    ...(setup.meter ? { meter: setup.meter } : {}),
    ...(setup.retry ? { retry: setup.retry } : {}),
  })
  const { aws, sign, staging } = setup
  const own = { ...(aws && { aws }), ...(sign && { sign }), ...(staging && { staging }) }
  return { connection, settings, http, ...own, signal, now: () => http.now(), beat, note }
}

function tokensOf({ connection, connector, credentials, renew }: SessionSetup): Tokens {
  const here = async (staleVersion: number): Promise<void> => {
    await credentials.refresh(connection, staleVersion, null)
  }
  return {
    current: () => credentials.current(connection),
    async renew(staleVersion) {
      if (!renew) return here(staleVersion)
      // Another process may have done it already; then nobody need be asked.
      if (await isNewer(credentials, connection, staleVersion)) return
      await renew(staleVersion)
      if (await isNewer(credentials, connection, staleVersion)) return
      // A worker of another machine did, and its state is not ours. A login that does not rotate is simply repeated
      // here.
      if (!(await credentials.rotates(connection))) return here(staleVersion)
      throw new ConnectorError({
        connector: connector.name,
        doing: `log in to ${connection}`,
        kind: 'auth',
        reason: 'the new token lies in the state of another machine',
        advice: 'Give all workers one state: a local directory serves one machine only.',
      })
    },
  }
}

async function isNewer(credentials: Credentials, connection: string, staleVersion: number): Promise<boolean> {
  credentials.forget(connection)
  return ((await credentials.current(connection))?.version ?? 0) > staleVersion
}
