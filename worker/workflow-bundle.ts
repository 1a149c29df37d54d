/**
 * The workflows' bundle, made once and kept in the user's cache: a worker that starts with it starts seconds sooner,
 * and without the memory that bundling takes.
 *
 * Law: a bundle serves exactly the sources and the SDK version it was made from; both are in its name. It is never part
 * of the published package (https://typescript.temporal.io/api/interfaces/worker.WorkerOptions#workflowbundle).
 */
import { createHash, randomUUID } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from './find-binary.ts'

/** The bundle's code, made if it is not there yet: by a process of its own, whose memory goes with it. */
export async function workflowBundle(workflowsPath: string): Promise<{ code: string }> {
  const name = `workflows-${await fingerprint(dirname(workflowsPath))}.js`
  const kept = join(cacheFolder(), name)
  const known = await readFile(kept, 'utf8').catch(() => null)
  if (known !== null) return { code: known }
  const work = await mkdtemp(join(tmpdir(), 'lakeward-bundle-'))
  try {
    const path = join(work, name)
    await make(workflowsPath, path)
    await keep(path, kept)
    return { code: await readFile(path, 'utf8') }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function make(workflowsPath: string, path: string): Promise<void> {
  const source = import.meta.url.endsWith('.ts')
  const script = fileURLToPath(new URL(`bundle-process.${source ? 'ts' : 'js'}`, import.meta.url))
  const loader = source ? ['--import', import.meta.resolve('tsx')] : []
  await promisify(execFile)(process.execPath, [...loader, script, workflowsPath, path])
}

async function fingerprint(folder: string): Promise<string> {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string }
  const hash = createHash('sha256').update(`${version} ${process.version}\0`)
  for (const name of (await readdir(folder)).toSorted()) {
    if (!/\.[jt]s$/.test(name)) continue
    hash.update(`${name}\0`).update(await readFile(join(folder, name)))
  }
  return hash.digest('hex').slice(0, 16)
}

/** A cache that cannot be written to costs the time again, and nothing else. */
async function keep(path: string, kept: string): Promise<void> {
  const part = `${kept}.${randomUUID()}`
  try {
    await mkdir(dirname(kept), { recursive: true })
    await copyFile(path, part)
    await rename(part, kept)
  } catch {
    // read-only or full
  }
}
