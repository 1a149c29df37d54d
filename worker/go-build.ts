/** Builds programs with Go from the modules of the Go proxy, telling how far it is. */
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'

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

export interface GoBuild {
  /** What is built, for people. */
  title: string
  /** `build` or `install` with their arguments; `-v` names each package as it is compiled. */
  args: string[]
  cwd?: string
  env?: NodeJS.ProcessEnv
  log: (line: string) => void
}

export async function goBuild({ title, args, cwd, env = process.env, log }: GoBuild): Promise<void> {
  const child = spawn('go', args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
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
    log(`building ${title}: ${elapsed}, ${seen.fetched} modules fetched, ${seen.compiled} packages compiled`)
  }, 15_000)
  const code = await new Promise<number | string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (exit, signal) => resolve(signal ?? exit))
  })
  clearInterval(progress)
  if (code === 0) return
  throw new Error(`go ${args[0]} ended with ${code}: ${[...problems, rest].filter(Boolean).slice(-3).join('; ')}`)
}
