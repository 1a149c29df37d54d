/** A local S3 server on a free loopback port: for the demo, and for tests of S3 lakes. */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Launch, type Launched, launch } from './launch.ts'
import { freePort, onFreePort, touch } from './ports.ts'
import { findVersitygw } from './versitygw-binary.ts'

export interface S3Server {
  pid: number
  url: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  stop: (graceMs?: number) => Promise<void>
}

const READY_MS = 60_000
const LOGIN = { region: 'us-east-1', accessKeyId: 'lakeward', secretAccessKey: 'lakeward-local' }

/** `folder` keeps buckets and log; they are there again at the next start. */
export async function startVersitygw(folder: string, binary?: string): Promise<S3Server> {
  const command = binary ?? (await findVersitygw())
  // Whole: versitygw takes relative ones that begin alike for folders in one another.
  const [buckets, versions] = ['buckets', 'versions'].map((name) => resolve(folder, name))
  for (const path of [buckets, versions]) await mkdir(path as string, { recursive: true })
  return startS3({
    title: 'versitygw',
    command,
    args: (port) => [
      ...['--port', `127.0.0.1:${port}`, '--region', LOGIN.region, '--quiet'],
      // Metadata in extended attributes. In files of its own (`--sidecar`), a create beside the delete of the last
      // object of its folder left a key that is taken and not there: 8 of 150 times.
      ...['posix', '--versioning-dir', versions as string, buckets as string],
    ],
    env: { ROOT_ACCESS_KEY: LOGIN.accessKeyId, ROOT_SECRET_KEY: LOGIN.secretAccessKey },
    logFile: join(folder, 'versitygw.log'),
  })
}

/** Starts any S3 server that takes the login of this file, and waits until it listens. */
export async function startS3(server: Omit<Launch, 'args'> & { args: (port: number) => string[] }): Promise<S3Server> {
  return onFreePort(async () => {
    const port = await freePort()
    const args = server.args(port)
    const running = launch({ ...server, args, env: { ...process.env, ...server.env } })
    try {
      await untilListening(running, port)
    } catch (error) {
      await running.stop(0)
      throw error
    }
    return { pid: running.pid, url: `http://127.0.0.1:${port}`, ...LOGIN, stop: running.stop }
  })
}

async function untilListening(server: Launched, port: number): Promise<void> {
  for (const deadline = Date.now() + READY_MS; ; await sleep(50)) {
    const failure = server.failure()
    if (failure !== null) throw new Error(failure)
    try {
      await touch(`127.0.0.1:${port}`)
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}
