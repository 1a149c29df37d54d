/**
 * Makes a file that takes long to make, once, however many processes ask for it.
 *
 * The file appears whole or not at all: it is made under another name and renamed. The lock only spares work: should
 * two makers ever run at once (a lock that looked forsaken but was not), both make the same file and the last rename
 * wins.
 */
import { chmod, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface MakeOnce {
  target: string
  log: (line: string) => void
  /** Whether the file at a path is what was wanted. */
  good: (path: string) => Promise<boolean>
  /** Writes the file to `path`. */
  make: (path: string, log: (line: string) => void) => Promise<void>
  /** A lock not renewed for so long is forsaken, milliseconds. */
  forsakenMs?: number
  pollMs?: number
}

export async function makeOnce(options: MakeOnce): Promise<void> {
  const { target, log, good, make } = options
  const lock = `${target}.lock`
  const forsakenMs = options.forsakenMs ?? 30_000
  await mkdir(dirname(target), { recursive: true })
  let waiting = false
  while (!(await take(lock, forsakenMs))) {
    if (!waiting) log(`another process is making ${target}; waiting for it`)
    waiting = true
    await sleep(options.pollMs ?? 1_000)
  }
  const drop = (): void => rmSync(lock, { force: true })
  process.once('exit', drop)
  const renew = setInterval(() => {
    // A lock that cannot be renewed is taken over, which is harmless.
    utimes(lock, new Date(), new Date()).catch(() => {})
  }, forsakenMs / 6)
  const draft = `${target}.${process.pid}.draft`
  try {
    await sweep(target)
    if (await good(target)) return
    await make(draft, log)
    await chmod(draft, 0o755)
    if (!(await good(draft))) throw new Error('what was made does not run')
    await rename(draft, target)
  } finally {
    clearInterval(renew)
    process.removeListener('exit', drop)
    await rm(draft, { force: true })
    drop()
  }
}

async function take(lock: string, forsakenMs: number): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const held = await stat(lock).catch(() => null)
  if (held && Date.now() - held.mtimeMs > forsakenMs) await rm(lock, { force: true })
  return false
}

/** Removes drafts of makers that were killed; a draft of the last day may still be in the making. */
async function sweep(target: string): Promise<void> {
  const folder = dirname(target)
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(target)}.`) || !name.endsWith('.draft')) continue
    const found = await stat(join(folder, name)).catch(() => null)
    if (found && Date.now() - found.mtimeMs > 86_400_000) await rm(join(folder, name), { force: true })
  }
}
