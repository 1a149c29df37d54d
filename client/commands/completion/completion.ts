/**
 * completion: a script for the shell, which asks the command itself (`complete`, hidden) for what could be meant.
 *
 * Law: whatever goes wrong while completing, nothing is printed and nothing is waited for: a person is typing.
 */
import type { Command } from 'commander'
import { InputError } from '../../../connectors/errors.ts'
import { meant } from '../../../connectors/nearest.ts'
import type { Register } from '../call.ts'
import { candidates } from './candidates.ts'
import { scripts } from './scripts.ts'

/** Names are asked of Temporal; a person does not wait longer for a list. */
const MOST_MS = 3_000

export function addCompletionCommands(register: Register, program: Command): void {
  register<object>({
    usage: 'completion <shell>',
    about:
      'Print a script for bash or zsh that completes commands, options, files, and names of flows and connections.',
    examples: [
      'eval "$(lakeward completion bash)"                         # in ~/.bashrc',
      'lakeward completion zsh > "${fpath[1]}/_lakeward"          # then start zsh again',
    ],
    work: async ({ view }, _, shell: string) => {
      const script = Object.hasOwn(scripts, shell) ? scripts[shell as keyof typeof scripts] : undefined
      if (script !== undefined) return view.out(script)
      const names = Object.keys(scripts)
      const what = `there is no completion for ${shell}${meant(shell, names)}`
      throw new InputError([{ where: 'completion', what, advice: `There is one for ${names.join(' and ')}.` }])
    },
  })
  register<object>({
    usage: 'complete [words...]',
    about: 'Print what the last word could become, one per line; `:files` stands for names of files.',
    examples: ['lakeward complete -- run sales'],
    hidden: true,
    work: async ({ view }, _, words: string[] = []) => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<string[]>((resolve) => (timer = setTimeout(resolve, MOST_MS, [])))
      const found = await Promise.race([candidates(program, words).catch(() => []), late])
      clearTimeout(timer)
      if (found.length > 0) view.out(found.join('\n'))
    },
  })
}
