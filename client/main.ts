/** The process behind `lakeward`; the command itself is in command.ts. */
import { runCommand } from './command.ts'
import { showError } from './failures.ts'

// `lakeward list | head` closes the pipe early: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

// Nobody is shown a stack trace, whatever happens.
process.on('uncaughtException', (error) => {
  for (const line of showError(error)) process.stderr.write(`${line}\n`)
  if (process.env.LAKEWARD_DEBUG) process.stderr.write(`${error.stack}\n`)
  process.exit(1)
})

const code = await runCommand(process.argv.slice(2))
// Output to a pipe is written later; exiting at once would cut it. Sockets that are kept alive must not hold us.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
