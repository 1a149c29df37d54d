/**
 * apply, diff: flow files against the flows in Temporal.
 *
 * Laws
 * - All files are read and checked before the first flow is stored: one that is wrong, and none is.
 * - Only flows of the same set are ever pruned, only by whole directories, and never without a yes.
 */
import { stat } from 'node:fs/promises'
import type { Json } from '../../connectors/connector.ts'
import { InputError } from '../../connectors/errors.ts'
import { printable } from '../../connectors/printable.ts'
import type { Difference } from '../differences.ts'
import { flowName, withoutRun } from '../flow-document.ts'
import type { FlowFile } from '../flow-files.ts'
import { readFlows } from '../flow-files.ts'
import type { FlowDiff, LakewardClient } from '../lakeward-client.ts'
import { agreed } from '../terminal/agreed.ts'
import { counted } from '../terminal/numbers.ts'
import type { Call, Register } from './call.ts'
import { nextRun, printJson, withJson, withTemporal } from './call.ts'

interface ApplyFlags {
  json?: boolean
  dryRun?: boolean
  prune?: boolean
  set?: string
  yes?: boolean
}

interface DiffFlags {
  json?: boolean
  set?: string
  exitCode?: boolean
}

export function addApplyCommands(register: Register): void {
  register<ApplyFlags>({
    usage: 'apply <flow...>',
    about: 'Store flows in Temporal, each as a schedule: created, updated or unchanged. A directory: the files in it.',
    examples: [
      'lakeward apply flows/',
      'lakeward apply salesforce-daily.yaml --json',
      'lakeward apply flows/ --set sales --dry-run --prune',
      'lakeward apply flows/ --set sales --prune --yes',
    ],
    options: (command) =>
      withJson(command)
        .option('--dry-run', 'only show what would change, as diff does')
        .option('--set <name>', 'mark the flows as one set, for --prune')
        .option('--prune', 'delete flows that were applied with this set before and are no longer in the directory')
        .option('--yes', 'prune without asking'),
    work: apply,
  })
  register<DiffFlags>({
    usage: 'diff <flow...>',
    about: 'Show what apply would change: new, changed (with old and new), unchanged, only on the server.',
    examples: ['lakeward diff flows/', 'lakeward diff salesforce-daily.yaml --exit-code'],
    options: (command) =>
      withJson(command)
        .option('--set <name>', 'compare with this set of flows alone')
        .option('--exit-code', 'exit with 1 where something differs'),
    work: diff,
  })
}

async function apply(call: Call, flags: ApplyFlags, ...[paths]: [string[]]): Promise<number | void> {
  if (flags.dryRun) return diff(call, flags, paths)
  const { json, set, prune } = flags
  const flows = await readable(paths, flags)
  return withTemporal(call, async (lakeward) => {
    const gone = prune ? await notIn(lakeward, flows, set as string) : []
    if (!(await mayPrune(call, gone, flags))) return 1
    const applied = []
    // One after the other: what went through before an error is told.
    for (const { document, path } of flows) {
      const one = await lakeward.apply(document, { ...(set === undefined ? {} : { set }) })
      applied.push({ ...one, file: path })
      if (!json) call.view.say(`${one.name} ${one.change}${nextRun(one)}`)
    }
    const deleted = []
    for (const { name } of gone) {
      const { running } = await lakeward.delete(name)
      deleted.push({ name, change: 'deleted', running })
      if (json) continue
      call.view.say(`${name} deleted; its files and its ledger stay`)
      for (const id of running) call.view.say(`  goes on: ${id}; \`lakeward cancel ${name}\` stops it`)
    }
    if (json) printJson(call, [...applied, ...deleted])
    return 0
  })
}

/** The flows of the files; all that is wrong is told, and the flags are among it. */
async function readable(paths: string[], { prune, set }: ApplyFlags & DiffFlags): Promise<FlowFile[]> {
  const wrong = (where: string, what: string, advice: string) => new InputError([{ where, what, advice }])
  if (set !== undefined && !/^[a-z0-9][a-z0-9_.-]{0,63}$/.test(set)) {
    throw wrong('--set', `${JSON.stringify(set)} is no name of a set`, 'Names are of a-z, 0-9, `_`, `.` and `-`.')
  }
  if (prune && set === undefined) {
    const advice = 'Name it with --set: only flows that were applied with the same --set are pruned.'
    throw wrong('--prune', 'of which set of flows is not said', advice)
  }
  for (const path of prune ? paths : []) {
    if (await isDirectory(path)) continue
    const advice = 'Give the directory that holds all flows of the set.'
    throw wrong('--prune', `${path} is not a directory: all other flows of the set would be deleted`, advice)
  }
  const flows = await readFlows(paths)
  for (const { document, file } of flows) withoutRun(document, `${file.at(['run'])} run`)
  return flows
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (about) => about.isDirectory(),
    () => false,
  )
}

async function notIn(lakeward: LakewardClient, flows: FlowFile[], set: string) {
  const kept = new Set(flows.map(({ document }) => flowName(document)))
  return (await lakeward.members(set)).filter(({ name }) => !kept.has(name))
}

async function mayPrune({ view }: Call, gone: { name: string; running: string[] }[], flags: ApplyFlags) {
  if (gone.length === 0) return true
  view.say(`${counted(gone.length, 'flow')} of set ${flags.set} not in the directory any more:`)
  for (const { name, running } of gone) view.say(`  ${name}${running.length > 0 ? ', which runs now' : ''}`)
  if (await agreed(view, 'Delete them?', flags.yes === true)) return true
  view.say('nothing was changed')
  return false
}

interface Diff {
  flows: (FlowDiff & { file: string })[]
  /** Names of flows that no file is of. */
  onlyOnServer: string[]
}

async function diff(call: Call, flags: DiffFlags & ApplyFlags, ...[paths]: [string[]]): Promise<number> {
  const { set, json, prune } = flags
  const files = await readable(paths, flags)
  const found = await withTemporal(call, async (lakeward): Promise<Diff> => {
    const flows = []
    for (const { document, path } of files) {
      flows.push({ ...(await lakeward.diff(document, { ...(set === undefined ? {} : { set }) })), file: path })
    }
    // Files that were named one by one are no statement about the rest.
    const directories = await Promise.all(paths.map(isDirectory))
    if (!directories.includes(true)) return { flows, onlyOnServer: [] }
    const there = set === undefined ? await lakeward.names() : (await lakeward.members(set)).map(({ name }) => name)
    const names = new Set(flows.map(({ name }) => name))
    return { flows, onlyOnServer: there.filter((name) => !names.has(name)) }
  })
  if (json) printJson(call, found)
  else show(call, found, prune === true)
  const differs = found.onlyOnServer.length > 0 || found.flows.some(({ change }) => change !== 'unchanged')
  return flags.exitCode && differs ? 1 : 0
}

function show({ view }: Call, { flows, onlyOnServer }: Diff, prune: boolean): void {
  for (const { name, change, differences, file } of flows) {
    const color = change === 'new' ? 'green' : change === 'changed' ? 'yellow' : 'dim'
    view.out(`${view.color(`${name} ${change}`, color)}  ${file}`)
    for (const difference of differences) view.out(`  ${line(difference)}`)
  }
  const what = prune ? 'only on the server: it would be deleted' : 'only on the server'
  for (const name of onlyOnServer) view.out(view.color(`${name} ${what}`, prune ? 'red' : 'cyan'))
}

function line({ path, before, after }: Difference): string {
  return `${path}: ${value(before)} → ${value(after)}`
}

function value(json: Json | undefined): string {
  return printable(json === undefined ? '(absent)' : JSON.stringify(json))
}
