/** Asks a person for a line that must not be seen: on a terminal it is not shown while it is typed. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** null: the input ended without a line, or the signal was aborted. */
export async function askSecretly(signal: AbortSignal): Promise<string | null> {
  const { stdin } = process
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: unseen, terminal: stdin.isTTY, signal })
  try {
    return await new Promise((resolve) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(null))
      // A terminal that is read key by key gives us Ctrl-C as a key.
      lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    })
  } finally {
    lines.close()
    stdin.unref?.()
  }
}
