/** What every command is given, and how one is registered. */
import type { Command } from 'commander'
import { LakewardClient } from '../lakeward-client.ts'
import type { Connected } from '../connect.ts'
import { connect } from '../connect.ts'
import { time, when } from '../terminal/numbers.ts'
import type { Screen } from '../terminal/screen.ts'

export interface GlobalOptions {
  address?: string
  namespace?: string
  profile?: string
  config?: string
}

export interface Call {
  view: Screen
  options: GlobalOptions
}

/** Resolves to the exit code, or to nothing: 0. Arguments come in the order of the command's usage. */
export type Work<Options> = (call: Call, options: Options, ...args: never[]) => Promise<number | void>

export interface CommandSpec<Options> {
  /** `run <name|flow>` */
  usage: string
  about: string
  /** Whole command lines. */
  examples: string[]
  options?: (command: Command) => unknown
  /** Not for people: shown nowhere. */
  hidden?: true
  work: Work<Options>
}

export type Register = <Options extends object>(spec: CommandSpec<Options>) => void

export function registrar(program: Command, call: (options: object) => Call, exit: { code: number }): Register {
  return ({ usage, about, options, work, examples: lines, hidden = false }) => {
    const command = program.command(usage, { hidden }).description(about)
    options?.(command)
    examples(command, lines)
    command.action(async (...given: unknown[]) => {
      const self = given.pop() as Command
      const own = given.pop() as object
      const run = work as unknown as (call: Call, options: object, ...args: unknown[]) => Promise<number | void>
      exit.code = (await run(call(self.optsWithGlobals()), own, ...given)) ?? 0
    })
  }
}

export function examples(command: Command, lines: string[]): void {
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON')
}

/**
 * Connects and works. The connection is not closed: the process ends right after, and a call that is just being tried
 * again when its channel closes makes gRPC throw where nobody can catch it.
 */
export async function withTemporal<T>(
  { options }: Call,
  work: (lakeward: LakewardClient, connected: Connected) => Promise<T>,
): Promise<T> {
  const connected = await connect(options)
  return work(new LakewardClient(connected.client), connected)
}

/** Dates and all, as JSON on stdout. */
export function printJson({ view }: Call, value: unknown): void {
  view.out(JSON.stringify(value, null, 2))
}

export function nextRun({ paused, nextTimes }: { paused: boolean; nextTimes: Date[] }): string {
  if (paused) return ', paused'
  const [first] = nextTimes
  return first ? `, next run ${time(first)} (${when(first)})` : ', on demand'
}
