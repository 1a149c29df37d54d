/** RSA keys for tests, made when they are first needed, in every form that people keep them in. */
import { generateKeyPairSync } from 'node:crypto'

export const PASSPHRASE = 'canary-passphrase'

let made: ReturnType<typeof make> | undefined
export const keys = () => (made ??= make())

function make() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const encrypted = { format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE } as const
  return {
    public: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    pkcs1: privateKey.export({ type: 'pkcs1', format: 'pem' }) as string,
    encrypted8: privateKey.export({ type: 'pkcs8', ...encrypted }) as string,
    encrypted1: privateKey.export({ type: 'pkcs1', ...encrypted }) as string,
  }
}
