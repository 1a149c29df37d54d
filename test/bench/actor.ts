/**
 * A contestant as a process: it says it is ready, and then does one task after the other, each a line of JSON in and
 * one out. What stands between the two lines is measured, and nothing else.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { measure } from './process-tree.ts'
import type { Taken } from './process-tree.ts'

export interface Answered extends Taken {
  seconds: number
  answer: Record<string, unknown>
}

export interface Actor {
  pid: number
  /** From its start until it was ready. */
  startSeconds: number
  ask(task: object): Promise<Answered>
  stop(): Promise<void>
}

export async function startActor(command: string[], env: Record<string, string> = {}): Promise<Actor> {
  const began = performance.now()
  const [program = '', ...args] = command
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4_000)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<Record<string, unknown>> => {
    for (;;) {
      const line = await lines.next()
      if (line.done) throw new Error(`${args.join(' ').slice(0, 200)} ended: ${errors.trim()}`)
      if (line.value.startsWith('{')) return JSON.parse(line.value) as Record<string, unknown>
    }
  }
  await next()
  const startSeconds = (performance.now() - began) / 1000
  const pid = child.pid as number
  return {
    pid,
    startSeconds,
    async ask(task) {
      const measuring = measure(pid)
      const from = performance.now()
      child.stdin.write(`${JSON.stringify(task)}\n`)
      const answer = await next()
      const seconds = (performance.now() - from) / 1000
      if (typeof answer.error === 'string') throw new Error(answer.error)
      return { seconds, ...measuring.end(), answer }
    },
    stop: () => stop(child),
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(patience)
}

/** The other side: what a contestant written in TypeScript runs. */
export async function act(work: (task: never) => Promise<object>): Promise<void> {
  const say = (value: object): boolean => process.stdout.write(`${JSON.stringify(value)}\n`)
  say({ ready: true })
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await work(JSON.parse(line) as never))
    } catch (error) {
      say({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
}
