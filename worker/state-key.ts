/**
 * The key of the state: LAKEWARD_STATE_KEY, or, where one machine alone has the state, a key file that is made once.
 *
 * Law: the key never lies beside the data it opens; whoever copies the state directory copies nothing they can read.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { StateError } from './state.ts'

const BYTES = 32

export function stateKeyPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'lakeward', 'state.key')
}

/** 32 bytes. Makes the key file if there is neither a variable nor a file; several processes may do so at once. */
export async function stateKey(env: NodeJS.ProcessEnv = process.env): Promise<Uint8Array> {
  const given = env.LAKEWARD_STATE_KEY?.trim()
  if (given) return decode(given, 'LAKEWARD_STATE_KEY')
  const path = stateKeyPath(env)
  const found = (await readKey(path)) ?? (await makeKey(path))
  return decode(found, path)
}

/** The key of a state that many machines share. */
export async function givenKey(where: string, env: NodeJS.ProcessEnv = process.env): Promise<Uint8Array> {
  if (env.LAKEWARD_STATE_KEY?.trim()) return stateKey(env)
  throw new StateError(
    `the state in ${where} is shared, and LAKEWARD_STATE_KEY is not set. ` +
      'Give all workers and commands the same key (openssl rand -base64 32 makes one), ' +
      'or the connection `encryption: { mode: kms, keyId: … }`.',
  )
}

async function readKey(path: string): Promise<string | null> {
  try {
    const { mode } = await stat(path)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new StateError(`${path} can be read by other users. Run: chmod 600 ${path}`)
    }
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function makeKey(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(`${randomBytes(BYTES).toString('base64')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(draft, { force: true })
  }
  // Whoever was first made the key that counts.
  return (await readKey(path)) ?? ''
}

function decode(text: string, where: string): Uint8Array {
  const hex = /^[0-9a-f]{64}$/i.test(text)
  const bytes = Buffer.from(text, hex ? 'hex' : 'base64')
  const whole = hex || /^[A-Za-z0-9+/_-]{43}=?$/.test(text)
  if (!whole || bytes.length !== BYTES) {
    throw new StateError(
      `${where} is no key: 32 bytes in base64 or hex are due. Make one with: openssl rand -base64 32`,
    )
  }
  return bytes
}
