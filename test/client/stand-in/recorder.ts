/** A screen that remembers. */
import { runCommand } from '../../../client/command.ts'
import type { Screen } from '../../../client/terminal/screen.ts'

export interface Recorded {
  code: number
  out: string
  said: string
}

/** Runs the command in this process, on no terminal. */
export async function recorded(...args: string[]): Promise<Recorded> {
  const out: string[] = []
  const said: string[] = []
  const view: Screen = {
    out: (text) => out.push(text),
    say: (text) => said.push(text),
    draw: null,
    columns: Infinity,
    color: (text) => text,
  }
  const code = await runCommand(args, view)
  return { code, out: out.join('\n'), said: said.join('\n') }
}
