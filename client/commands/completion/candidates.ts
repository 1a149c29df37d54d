/** What the word that is being typed could become, from the commands as they are registered. */
import type { Command, Option } from 'commander'
import { readInstallation } from '../../../connectors/installation.ts'
import { connect } from '../../connect.ts'
import { objectIds } from '../../flow-document.ts'
import { installationPath } from '../../installation-check.ts'
import { LakewardClient } from '../../lakeward-client.ts'
import type { GlobalOptions } from '../call.ts'

/** Stands for names of files, which the shell knows best. */
const FILES = ':files'

interface Typed {
  command: Command | undefined
  /** Arguments of the command before the word. */
  given: string[]
  options: GlobalOptions
  /** The word is the value of this option. */
  valueOf: Option | undefined
}

/** `words`: all behind `lakeward`; the last is being typed, and may be empty. */
export async function candidates(program: Command, words: string[]): Promise<string[]> {
  const word = words.at(-1) ?? ''
  const typed = read(program, words.slice(0, -1))
  const found = await all(program, typed, word)
  return found.filter((one) => one === FILES || one.startsWith(word))
}

async function all(program: Command, typed: Typed, word: string): Promise<string[]> {
  const { command, given, valueOf } = typed
  if (valueOf) return valueOf.long === '--config' ? [FILES] : []
  if (word.startsWith('-')) return optionsOf(program, command).flatMap(({ long }) => long ?? [])
  const visible = program.createHelp().visibleCommands(program)
  if (!command || command.name() === 'help') return visible.map((one) => one.name())
  const expected = command.registeredArguments
  const argument = expected[given.length] ?? (expected.at(-1)?.variadic ? expected.at(-1) : undefined)
  return argument ? values(argument.name(), typed) : []
}

/** By what the usage calls the argument. */
async function values(name: string, { given, options }: Typed): Promise<string[]> {
  if (name === 'flow' || name === 'directory') return [FILES]
  if (name === 'shell') return ['bash', 'zsh']
  if (name === 'connection') {
    const { connections } = await readInstallation(installationPath(options.config), { plainSecrets: true })
    return Object.keys(connections)
  }
  if (name === 'name' || name === 'name|flow') {
    const names = await (await lakewardAt(options)).names().catch(() => [])
    return name === 'name' ? names : [...names, FILES]
  }
  const [flow] = given
  if (name !== 'object' || flow === undefined) return []
  return objectIds((await (await lakewardAt(options)).flow(flow)).document)
}

async function lakewardAt(options: GlobalOptions): Promise<LakewardClient> {
  return new LakewardClient((await connect(options)).client)
}

/** Options and their values are passed over, wherever they stand. */
function read(program: Command, words: string[]): Typed {
  const typed: Typed = { command: undefined, given: [], options: {}, valueOf: undefined }
  for (const word of words) {
    const option = typed.valueOf
    typed.valueOf = undefined
    if (option) Object.assign(typed.options, { [option.attributeName()]: word })
    else if (word.startsWith('-')) {
      const [flag, value] = word.split('=', 2)
      const known = optionsOf(program, typed.command).find(({ long, short }) => flag === long || flag === short)
      if (known?.required && value === undefined) typed.valueOf = known
      else if (known && value !== undefined) Object.assign(typed.options, { [known.attributeName()]: value })
    } else if (typed.command) typed.given.push(word)
    else typed.command = program.commands.find((one) => one.name() === word)
  }
  return typed
}

function optionsOf(program: Command, command: Command | undefined): Option[] {
  const help = program.createHelp()
  return [...(command ? help.visibleOptions(command) : []), ...help.visibleOptions(program)]
}
