/**
 * Starts a foreign server as a process of its own.
 *
 * Law: it does not die of the terminal's Ctrl-C (the worker must be able to drain first), and never outlives this
 * process, however that ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Launch {
  /** For messages: `the Temporal dev server`. */
  title: string
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** All its output is appended here. */
  logFile: string
}

export interface Launched {
  pid: number
  /** Resolves when the process has ended, for whatever reason, with what a person should be told. */
  ended: Promise<string>
  /** SIGTERM, then SIGKILL after `graceMs` (default 10,000); resolves when it is gone. */
  stop: (graceMs?: number) => Promise<void>
  /** What went wrong, once it has ended. */
  failure(): string | null
}

/**
 * Its own process group keeps Ctrl-C away from it. A shell beside it waits on a pipe from this process and ends the
 * server when the pipe closes, which it does even after `kill -9`.
 */
const WITH_PARENT = `
( cat <&3 >/dev/null
  kill -TERM $$
  for second in 1 2 3 4 5 6 7 8; do sleep 1; kill -0 $$ || exit 0; done
  kill -KILL $$ ) 2>/dev/null &
exec "$@" 3<&-`

export function launch({ title, command, args, env, logFile }: Launch): Launched {
  mkdirSync(dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'a')
  const start = readFileSync(logFile).length
  const posix = process.platform !== 'win32'
  const child: ChildProcess = posix
    ? spawn('/bin/sh', ['-c', WITH_PARENT, 'sh', command, ...args], {
        env,
        detached: true,
        stdio: ['ignore', log, log, 'pipe'],
      })
    : spawn(command, args, { env, windowsHide: true, stdio: ['ignore', log, log] })
  closeSync(log)

  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid) process.kill(posix ? -child.pid : child.pid, signal)
    } catch {
      // It is gone already.
    }
  }
  const onExit = (): void => signalGroup('SIGKILL')
  process.once('exit', onExit)
  // The server must not keep a process alive that has nothing else to do.
  child.unref()
  const pipe = child.stdio[3]
  if (pipe && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()

  let failure: string | null = null
  const ended = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      if (failure !== null) return
      process.removeListener('exit', onExit)
      const last = readFileSync(logFile).subarray(start).toString().trim().split('\n').slice(-8).join('\n  ')
      failure = `${title} ended (${how}); the end of ${logFile}:\n  ${last || '(nothing was written)'}`
      if (posix) signalGroup('SIGKILL') // the shell that watches for our own end
      resolve(failure)
    }
    child.once('error', (error) => end(error.message))
    child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
  })

  const stop = async (graceMs = 10_000): Promise<void> => {
    if (failure !== null) return
    child.ref()
    if (graceMs > 0) {
      child.kill('SIGTERM')
      await Promise.race([ended, sleep(graceMs)])
    }
    if (failure === null) signalGroup('SIGKILL')
    await ended
  }
  return { pid: child.pid ?? -1, ended, stop, failure: () => failure }
}
