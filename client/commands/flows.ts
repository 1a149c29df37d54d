/** check, render: flow files, before anything is started. */
import { flowName } from '../flow-document.ts'
import { readFlow, readFlows } from '../flow-files.ts'
import { checkInstallation } from '../installation-check.ts'
import { counted } from '../terminal/numbers.ts'
import type { Call, Register } from './call.ts'
import { printJson, withJson } from './call.ts'
import { checkSources } from './check-source.ts'

interface CheckFlags {
  json?: boolean
  offline?: boolean
}

export function addFlowCommands(register: Register): void {
  register<CheckFlags>({
    usage: 'check <flow...>',
    about: 'Find what is wrong in flow files: alone, with lakeward.yaml, and with the source where it can be reached.',
    examples: ['lakeward check flows/', 'lakeward check salesforce-daily.yaml --config prod/lakeward.yaml --offline'],
    options: (command) => withJson(command).option('--offline', 'do not ask the source for its fields'),
    work: check,
  })
  register<object>({
    usage: 'render <flow>',
    about: "Print a flow as the JSON that Temporal's own CLI can start or schedule.",
    examples: [
      'lakeward render salesforce-daily.yaml > flow.json',
      'temporal workflow start --type runFlow --task-queue lakeward --workflow-id any --input-file flow.json',
    ],
    work: render,
  })
}

async function check(call: Call, { json, offline }: CheckFlags, ...[paths]: [string[]]): Promise<void> {
  const flows = await readFlows(paths)
  const installation = await checkInstallation(flows, call.options.config)
  const { compared, notes } =
    installation && !offline ? await checkSources(flows, installation) : { compared: false, notes: [] }
  const names = flows.map(({ document }) => flowName(document))
  if (json) return printJson(call, { flows: names, installation, notes })
  for (const { path, flow } of flows) {
    call.view.say(`${path}: ${flow.name} is fine, ${counted(flow.source.objects.length, 'object')}`)
  }
  if (installation) {
    call.view.say(`connections and options fit ${installation}${compared ? '; objects and fields fit the source' : ''}`)
  } else call.view.say('there is no lakeward.yaml here: only the files were checked (--config names one)')
  for (const note of notes) call.view.say(note)
}

async function render(call: Call, _: object, path: string): Promise<void> {
  const { document } = await readFlow(path)
  printJson(call, document)
}
