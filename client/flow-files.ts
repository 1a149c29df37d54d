/**
 * Flows as files: one by name, or all of a directory.
 *
 * Law: everything that is wrong in all the files is told at once.
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Document } from '../connectors/document.ts'
import { readDocument } from '../connectors/document.ts'
import type { Problem } from '../connectors/errors.ts'
import { InputError } from '../connectors/errors.ts'
import type { Flow } from '../connectors/flow.ts'
import { parseFlow } from '../connectors/flow.ts'
import type { FlowDocument } from './flow-document.ts'
import { flowDocument } from './flow-document.ts'

export interface FlowFile {
  path: string
  file: Document
  flow: Flow
  document: FlowDocument
}

/** Files and directories; a directory stands for the flows directly in it. */
export async function readFlows(paths: string[]): Promise<FlowFile[]> {
  const problems: Problem[] = []
  const flows: FlowFile[] = []
  for (const path of await expand(paths)) {
    try {
      flows.push(await readFlow(path))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push(...error.problems)
    }
  }
  const first = new Map<string, string>()
  for (const { flow, path } of flows) {
    const other = first.get(flow.name)
    if (other !== undefined) {
      problems.push({
        where: `${path} name`,
        what: `${flow.name} is also the name of the flow in ${other}`,
        advice: 'A name stands for one flow: give one of them another.',
      })
    } else first.set(flow.name, path)
  }
  if (problems.length > 0) throw new InputError(problems)
  return flows
}

export async function readFlow(path: string): Promise<FlowFile> {
  const file = await readDocument(path)
  const flow = parseFlow(file.value, file)
  return { path, file, flow, document: flowDocument(file.value, file) }
}

/** A file where the argument looks like one or is one; else the name of a stored flow. */
export async function readTarget(target: string): Promise<string | FlowDocument> {
  const looks = /[/\\]|\.(ya?ml|json)$/i.test(target)
  if (!looks && !(await isFile(target))) {
    if (/^[a-z0-9][a-z0-9_.-]{0,63}$/.test(target)) return target
    throw new InputError([
      {
        where: JSON.stringify(target),
        what: 'it is neither a file nor a name that a flow can have',
        advice: 'Names are of a-z, 0-9, `_`, `.` and `-`; `lakeward list` shows them.',
      },
    ])
  }
  return (await readFlow(target)).document
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (about) => about.isFile(),
    () => false,
  )
}

/** Files that are beside flows and are none. */
const others = new Set(['lakeward.yaml', 'lakeward.yml', 'lakeward.json', 'package.json', 'package-lock.json'])

async function expand(paths: string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of paths) {
    const directory = await stat(path).then(
      (about) => about.isDirectory(),
      () => false,
    )
    if (!directory) {
      refuseInstallation(path)
      found.push(path)
      continue
    }
    const names = (await readdir(path)).toSorted()
    const flows = names.filter(
      (name) =>
        /\.(ya?ml|json)$/i.test(name) && !name.startsWith('.') && !others.has(name) && !/^tsconfig\b/.test(name),
    )
    if (flows.length === 0) {
      throw new InputError([
        {
          where: path,
          what: 'there is no flow in this directory',
          advice: 'Flows are files that end in .yaml, .yml or .json, directly in it. `lakeward init` writes a sample.',
        },
      ])
    }
    found.push(...flows.map((name) => join(path, name)))
  }
  return [...new Set(found)]
}

function refuseInstallation(path: string): void {
  if (!/^lakeward\.(ya?ml|json)$/.test(basename(path))) return
  throw new InputError([
    {
      where: path,
      what: 'this is the installation, not a flow',
      advice: 'Give a flow file; this one is read beside it (--config names another).',
    },
  ])
}
