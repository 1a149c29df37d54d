/**
 * Builds the Temporal CLI, Web UI and all, from Temporal's own Go modules, pinned by `temporal-cli/go.sum`. The module
 * exists because the CLI's releases cannot be installed with `go install`
 * (https://github.com/temporalio/cli/issues/213).
 */
import { execFile, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const MODULE = fileURLToPath(new URL('./temporal-cli/', import.meta.url))
const COMMAND = 'github.com/temporalio/cli/cmd/temporal'

/** Why Go cannot build it here; null: it can. A newer toolchain than the one installed is fetched by Go itself. */
export async function goProblem(env: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('go', ['version'], {
      env: { ...env, GOTOOLCHAIN: 'local' },
      timeout: 20_000,
    })
    const version = /go(\d+)\.(\d+)/.exec(stdout)
    if (!version) return 'the installed one does not tell its version'
    const [major, minor] = [Number(version[1]), Number(version[2])]
    return major > 1 || minor >= 21 ? null : `${major}.${minor} is installed`
  } catch {
    return 'go is not on PATH'
  }
}

export async function buildTemporal(target: string, log: (line: string) => void): Promise<void> {
  log('building the Temporal server with Go: about 5 minutes, once')
  // -v names each package as it is compiled; without debug tables the binary is a third smaller.
  const args = ['build', '-v', '-ldflags', '-s -w', '-o', target, COMMAND]
  const child = spawn('go', args, { cwd: MODULE, stdio: ['ignore', 'ignore', 'pipe'] })
  const began = Date.now()
  const seen = { fetched: 0, compiled: 0 }
  const problems: string[] = []
  let rest = ''
  child.stderr.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('go: downloading')) seen.fetched++
      else if (/^[\w.~/-]+$/.test(line)) seen.compiled++
      else if (line) problems.push(line)
    }
  })
  const progress = setInterval(() => {
    const s = Math.round((Date.now() - began) / 1000)
    const elapsed = `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`
    log(`building Temporal: ${elapsed}, ${seen.fetched} modules fetched, ${seen.compiled} packages compiled`)
  }, 15_000)
  const code = await new Promise<number | string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (exit, signal) => resolve(signal ?? exit))
  })
  clearInterval(progress)
  if (code !== 0)
    throw new Error(`go build ended with ${code}: ${[...problems, rest].filter(Boolean).slice(-3).join('; ')}`)
}
