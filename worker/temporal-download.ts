/**
 * The SDK's official download of the Temporal CLI (https://temporal.download), kept for good in our cache.
 *
 * It runs in a process of its own: the SDK starts what it downloads and cannot be stopped half-way, and its native
 * runtime, once made, could not be configured by the worker any more.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The download has failed when not one byte came for so long. */
const SILENCE_MS = 15_000

// https://typescript.temporal.io/api/namespaces/testing#ephemeralserverexecutable
const DOWNLOAD = `
const [sdk, downloadDir] = process.argv.slice(1)
const { TestWorkflowEnvironment } = await import(sdk)
const executable = { type: 'cached-download', downloadDir }
const env = await TestWorkflowEnvironment.createLocal({ server: { executable, ip: '127.0.0.1' } })
await env.teardown()
`

export async function downloadTemporal(target: string, log: (line: string) => void): Promise<void> {
  log('looking for Temporal at https://temporal.download')
  const folder = await mkdtemp(join(dirname(target), 'download-'))
  try {
    const problem = await runDownload(folder, log)
    const [found] = (await readdir(folder)).filter((name) => !name.endsWith('.downloading'))
    // The server need not have started in the SDK's five seconds: the file is what counts, and it is tried out later.
    if (!found) throw new Error(problem ?? 'nothing was downloaded')
    await rename(join(folder, found), target)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runDownload(folder: string, log: (line: string) => void): Promise<string | null> {
  const sdk = import.meta.resolve('@temporalio/testing')
  const args = ['--input-type=module', '-e', DOWNLOAD, sdk, folder]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)))
  let bytes = 0
  let grown = Date.now()
  let silent = false
  const watch = setInterval(() => {
    void folderSize(folder).then((size) => {
      if (size !== bytes) grown = Date.now()
      if (Math.floor(size / 25e6) > Math.floor(bytes / 25e6)) log(`downloading Temporal: ${Math.round(size / 1e6)} MB`)
      bytes = size
      if (Date.now() - grown > SILENCE_MS) {
        silent = true
        child.kill('SIGKILL')
      }
    })
  }, 500)
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(-1))
    child.once('close', resolve)
  })
  clearInterval(watch)
  if (code === 0) return null
  if (silent) return `no answer within ${SILENCE_MS / 1000} s`
  // The SDK's message repeats the address at each of its layers; the innermost says what happened.
  const [message] = /failed to download.*/.exec(said) ?? /Error: .*/.exec(said) ?? [`it ended with ${code}`]
  return message
    .replace(/[\]}\s]+$/, '')
    .split(': ')
    .slice(-2)
    .join(': ')
}

async function folderSize(folder: string): Promise<number> {
  let total = 0
  for (const name of await readdir(folder).catch(() => [])) {
    total += (await stat(join(folder, name)).catch(() => null))?.size ?? 0
  }
  return total
}
