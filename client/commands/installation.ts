/** init, dev, worker, demo: an installation on this machine. The worker's code is loaded only here and in source.ts. */
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Problem } from '../../connectors/errors.ts'
import { InputError } from '../../connectors/errors.ts'
import { sampleFlow, sampleInstallation } from '../samples.ts'
import type { Call, Register } from './call.ts'

export function addInstallationCommands(register: Register): void {
  register<object>({
    usage: 'init [directory]',
    about: 'Write a lakeward.yaml and a sample flow to start from.',
    examples: ['lakeward init', 'lakeward init my-flows'],
    work: init,
  })
}

async function init(call: Call, _: object, directory = '.'): Promise<void> {
  const files: [string, string][] = [
    [join(directory, 'lakeward.yaml'), sampleInstallation],
    [join(directory, 'flows', 'sample.yaml'), sampleFlow],
  ]
  const taken: Problem[] = []
  for (const [path] of files) {
    if (await exists(path)) {
      taken.push({ where: path, what: 'it is there already', advice: 'Move it away, or give another directory.' })
    }
  }
  if (taken.length > 0) throw new InputError(taken)
  for (const [path, text] of files) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { flag: 'wx' })
    call.view.say(`wrote ${path}`)
  }
  const there = directory === '.' ? '' : `cd ${directory}\n  `
  call.view.say(`
Next:
  ${there}edit lakeward.yaml: your Salesforce domain, and the variables SF_CLIENT_ID and SF_CLIENT_SECRET
  lakeward check flows/
  lakeward preview flows/sample.yaml        look at records, nothing is written
  lakeward dev                              Temporal and a worker on this machine, in another terminal
  lakeward run flows/sample.yaml --wait`)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
