/**
 * Signs with a connection's secrets, for connectors that send what a receiver must be able to prove.
 *
 * Law: connectors get digests; the secrets stay here.
 */
import { createHmac } from 'node:crypto'
import type { Session } from '../connectors/connector.ts'
import type { Connection, Secret } from '../connectors/installation.ts'
import { resolveSecret } from '../connectors/secrets.ts'

export function signer(connection: Pick<Connection, 'name' | 'auth'> & { directory: string }) {
  const { name, auth, directory } = connection
  return async (bytes: Uint8Array): ReturnType<NonNullable<Session['sign']>> => {
    const digests: string[] = []
    for (const member of ['secret', 'previous']) {
      const secret = auth?.[member] as Secret | undefined
      if (secret === undefined) continue
      const where = `connections.${name}.auth.${member}`
      const key = typeof secret === 'string' ? secret : await resolveSecret(secret, { where, directory })
      digests.push(createHmac('sha256', key).update(bytes).digest('hex'))
    }
    return digests
  }
}
