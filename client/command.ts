/**
 * The command `lakeward`: what a person types, and what is told back.
 *
 * Laws
 * - Exit codes: 0 done, 1 failed, 2 wrong use or input, 4 credentials, 5 partly done; 130 after Ctrl-C.
 * - An error says what, where and what to do. A stack trace is shown with LAKEWARD_DEBUG alone.
 * - Data goes to stdout, everything else to stderr. The worker's code is loaded by the commands that need it.
 */
import { Command, CommanderError } from 'commander'
import { version } from '../connectors/version.ts'
import { addApplyCommands } from './commands/apply.ts'
import { addConnectorsCommand } from './commands/connectors.ts'
import { addFlowCommands } from './commands/flows.ts'
import { addInstallationCommands } from './commands/installation.ts'
import { addCodecServerCommand } from './commands/codec-server.ts'
import { addCompletionCommands } from './commands/completion/completion.ts'
import { addDoctorCommand } from './commands/doctor/doctor.ts'
import { addDemoCommand } from './commands/demo/demo.ts'
import { addListenCommand } from './commands/listen.ts'
import { addLoginCommand } from './commands/login.ts'
import { addPreviewCommand } from './commands/preview.ts'
import { addRepairCommand } from './commands/repair.ts'
import { addRunCommands } from './commands/run.ts'
import { addSetupCommand } from './commands/setup.ts'
import { addSourceCommands } from './commands/source.ts'
import { addStateCommand } from './commands/state.ts'
import { addStoreCommands } from './commands/store.ts'
import { addVerifyCommand } from './commands/verify/verify.ts'
import { addWorkerCommands } from './commands/worker.ts'
import { type Call, examples, registrar } from './commands/call.ts'
import { exitCode, showError } from './failures.ts'
import type { Screen } from './terminal/screen.ts'
import { screen } from './terminal/screen.ts'

export async function runCommand(args: string[], view: Screen = screen()): Promise<number> {
  const exit = { code: 0 }
  const program = build(view, exit)
  try {
    await program.parseAsync(args, { from: 'user' })
    return exit.code
  } catch (error) {
    if (error instanceof CommanderError) return misused(error, program, args, view)
    for (const line of showError(error)) view.say(line.startsWith('error:') ? view.color(line, 'red') : line)
    if (process.env.LAKEWARD_DEBUG) view.say(error instanceof Error ? `${error.stack}` : String(error))
    return exitCode(error)
  }
}

export function build(view: Screen, exit: { code: number }): Command {
  const program = new Command('lakeward')
    .description('Durable data flows from SaaS applications to the lake, on Temporal.')
    .version(version(), '-V, --version')
    .option('--address <host:port>', 'where Temporal is (default: TEMPORAL_ADDRESS, the profile, 127.0.0.1:7233)')
    .option('--namespace <name>', 'namespace in Temporal (default: TEMPORAL_NAMESPACE, the profile, default)')
    .option('--profile <name>', "profile of Temporal's own configuration file")
    .option('--config <file>', 'lakeward.yaml of this installation (default: LAKEWARD_CONFIG, ./lakeward.yaml)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => view.out(text.trimEnd()),
      writeErr: (text) => view.out(text.trimEnd()),
      outputError: () => {},
    })
    .exitOverride()
    .helpCommand('help [command]', 'show what a command does')
  examples(program, ['lakeward init', 'lakeward dev', 'lakeward run sample --wait', 'lakeward apply flows/'])
  const register = registrar(program, (options): Call => ({ view, options }), exit)
  program.commandsGroup('To begin:')
  addInstallationCommands(register)
  addLoginCommand(register)
  addSetupCommand(register)
  addWorkerCommands(register)
  addListenCommand(register)
  addCodecServerCommand(register)
  addDemoCommand(register)
  program.commandsGroup('Flow files, and what they read:')
  addConnectorsCommand(register)
  addFlowCommands(register)
  addSourceCommands(register)
  addPreviewCommand(register)
  program.commandsGroup('Flows and runs in Temporal:')
  addApplyCommands(register)
  addRunCommands(register)
  addStoreCommands(register)
  program.commandsGroup('When something is wrong:')
  addDoctorCommand(register)
  addStateCommand(register)
  addVerifyCommand(register)
  addRepairCommand(register)
  addCompletionCommands(register, program)
  return program
}

/** Wrong use, in the words of the parser; help and version are no errors. */
function misused(error: CommanderError, program: Command, args: string[], view: Screen): number {
  if (['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code)) return 0
  const [what = '', hint = ''] = error.message.replace(/^error: /, '').split('\n')
  const named = program.commands.find((command) => args.includes(command.name()))
  const help = `\`lakeward ${named ? `${named.name()} ` : ''}--help\` shows how it is used.`
  view.say(view.color(`error: ${what}`, 'red'))
  view.say(`  ${hint ? `${hint.replace(/^\(|\)$/g, '')} ` : ''}${help}`)
  return 2
}
