/** A PostgreSQL of its own in a temporary folder, on a Unix socket alone: nobody else's server is ever touched. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { PostgresConnection } from './postgres-wire.ts'

export interface PostgresServer {
  socket: string
  folder: string
  stop(): Promise<void>
}

const run = promisify(execFile)
const READY_MS = 60_000

/** `binaries` is the folder of `initdb` and `postgres`. */
export async function startPostgres(binaries: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redshift-'))
  const as = await unprivileged()
  if (as) await chown(folder, as.uid, as.gid)
  const data = join(folder, 'data')
  // Text is compared byte by byte, as Redshift does.
  const init = [
    '-D',
    data,
    '-U',
    'redshift',
    '-A',
    'trust',
    '--locale=C',
    '-E',
    'UTF8',
    '--no-sync',
    '--no-instructions',
  ]
  const errors: string[] = []
  try {
    await run(join(binaries, 'initdb'), init, { ...as, cwd: folder })
    const settings = {
      listen_addresses: '',
      unix_socket_directories: folder,
      fsync: 'off',
      full_page_writes: 'off',
      max_connections: '60',
    }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const server = spawn(join(binaries, 'postgres'), ['-D', data, ...args], {
      ...as,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    server.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
    const socket = join(folder, '.s.PGSQL.5432')
    const stop = async (): Promise<void> => {
      if (server.exitCode === null && server.signalCode === null) {
        const exited = once(server, 'exit')
        server.kill('SIGQUIT') // at once: what it holds is thrown away
        await exited
      }
      await rm(folder, { recursive: true, force: true })
    }
    const deadline = Date.now() + READY_MS
    for (;;) {
      const ready = await PostgresConnection.open(socket, 'postgres', {}).catch(() => null)
      ready?.close()
      if (ready) return { socket, folder, stop }
      if (server.exitCode !== null || Date.now() > deadline) {
        await stop()
        throw new Error(`PostgreSQL does not start: ${errors.join('').slice(-2000)}`)
      }
      await sleep(30)
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** PostgreSQL refuses to run as root: in a container of root it runs as its own user, or as nobody. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const user of ['postgres', 'nobody']) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, user]))).catch(() => null)
    if (ids) return { uid: Number(ids[0]!.stdout), gid: Number(ids[1]!.stdout) }
  }
  throw new Error('PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody')
}
