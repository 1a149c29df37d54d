/** A question that must be answered with yes before something is done that cannot be taken back. */
import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { InputError } from '../../connectors/errors.ts'
import type { Screen } from './screen.ts'

/**
 * `yes`: the flag `--yes` answers it. @throws InputError where nobody can be asked: silence is no agreement.
 */
export async function agreed(view: Screen, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  const { stdin, stderr } = process
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new InputError([
      {
        where: '--yes',
        what: `${question} Nobody can be asked here: this is no terminal`,
        advice: 'Look at what is listed, and give --yes to agree to it. Nothing was changed.',
      },
    ])
  }
  const lines = createInterface({ input: stdin, output: stderr })
  try {
    // Ctrl-C and Ctrl-D close it, and the question would wait for ever.
    const closed = once(lines, 'close').then(() => '')
    const answer = await Promise.race([lines.question(`${view.color(question, 'bold')} [y/N] `), closed])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
