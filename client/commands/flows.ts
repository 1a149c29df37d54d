/** check, render: flow files, before anything is started. */
import { flowName } from '../flow-document.ts'
import { readFlow, readFlows } from '../flow-files.ts'
import { checkInstallation } from '../installation-check.ts'
import { counted } from '../terminal/numbers.ts'
import type { Call, Register } from './call.ts'
import { printJson, withJson } from './call.ts'

export function addFlowCommands(register: Register): void {
  register<{ json?: boolean }>({
    usage: 'check <flow...>',
    about: 'Find what is wrong in flow files, with lakeward.yaml where it is there; nothing is started or sent.',
    examples: ['lakeward check flows/', 'lakeward check salesforce-daily.yaml --config prod/lakeward.yaml'],
    options: withJson,
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

async function check(call: Call, { json }: { json?: boolean }, ...[paths]: [string[]]): Promise<void> {
  const flows = await readFlows(paths)
  const installation = await checkInstallation(flows, call.options.config)
  const names = flows.map(({ document }) => flowName(document))
  if (json) return printJson(call, { flows: names, installation })
  for (const { path, flow } of flows) {
    call.view.say(`${path}: ${flow.name} is fine, ${counted(flow.source.objects.length, 'object')}`)
  }
  call.view.say(
    installation
      ? `connections and options fit ${installation}`
      : 'there is no lakeward.yaml here: connections and options were not checked (--config names one)',
  )
}

async function render(call: Call, _: object, path: string): Promise<void> {
  const { document } = await readFlow(path)
  printJson(call, document)
}
