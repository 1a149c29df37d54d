/**
 * The package as `npm run build` makes it, once for the whole test run and only if a test asks for it: a process that
 * starts from it needs half the time of one that starts from the sources, and hundreds are started.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { makeOnce } from '../worker/make-once.ts'

const script = fileURLToPath(new URL('../scripts/build.mjs', import.meta.url))

/** Path of the command: `node <path> worker`. LAKEWARD_TEST_BUILT names the folder where no test runner does. */
export async function builtCommand(): Promise<string> {
  const built = process.env['LAKEWARD_TEST_BUILT'] ?? inject('built')
  const target = `${built}.ready`
  const command = join(built, 'client', 'main.js')
  if (existsSync(target)) return command
  await makeOnce({
    target,
    log: () => {},
    good: (path) => Promise.resolve(existsSync(path)),
    async make(path) {
      await build(built)
      await writeFile(path, '')
    },
    pollMs: 200,
  })
  return command
}

async function build(target: string): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, [script, target])
  } catch (error) {
    const { stdout = '', message } = error as { stdout?: string; message: string }
    throw new Error(`the package does not build:\n${stdout || message}`, { cause: error })
  }
}
