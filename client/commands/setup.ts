/** setup: what a namespace needs once, before flows can be found by their attributes in it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { attributeNames, attributeStates, registerAttributes } from '../search-attributes.ts'
import type { AttributeName, AttributeState } from '../search-attributes.ts'
import { listing } from '../terminal/table.ts'
import type { Call, Register } from './call.ts'
import { printJson, withJson, withTemporal } from './call.ts'

interface SetupFlags {
  check?: boolean
  json?: boolean
}

/** A server tells what was registered some seconds later. */
const SEEN_MS = 20_000

export function addSetupCommand(register: Register): void {
  register<SetupFlags>({
    usage: 'setup',
    about: 'Register the search attributes of flows in the namespace, where this login may; else say who must how.',
    examples: ['lakeward setup', 'lakeward setup --check --json', 'lakeward setup --profile cloud'],
    options: (command) => withJson(command).option('--check', 'only look, and exit 1 if something is missing'),
    work: setup,
  })
}

async function setup(call: Call, { check, json }: SetupFlags): Promise<number> {
  return withTemporal(call, async ({ temporal }) => {
    const before = await attributeStates(temporal)
    const missing = attributeNames.filter((name) => before[name] === 'missing')
    const allowed = check || missing.length === 0 || (await registerAttributes(temporal, missing))
    const states = !check && allowed && missing.length > 0 ? await seen(temporal) : before
    const { namespace } = temporal.options
    const todo = advice(namespace, states, allowed)
    if (json) printJson(call, { namespace, attributes: states, allowed, todo })
    else {
      call.view.out(listing(attributeNames.map((name) => [name, said(states[name], missing.includes(name))])))
      for (const line of todo) call.view.say(line)
    }
    return todo.length === 0 ? 0 : 1
  })
}

async function seen(client: Client): Promise<Record<AttributeName, AttributeState>> {
  const until = Date.now() + SEEN_MS
  for (;;) {
    const states = await attributeStates(client)
    if (attributeNames.every((name) => states[name] !== 'missing') || Date.now() > until) return states
    await sleep(500)
  }
}

function said(state: AttributeState, wasMissing: boolean): string {
  if (state === 'registered') return wasMissing ? 'registered now' : 'registered'
  return state === 'missing' ? 'missing' : 'registered, but not as a Keyword'
}

/** Lines; none: all is well. */
function advice(namespace: string, states: Record<AttributeName, AttributeState>, allowed: boolean): string[] {
  const missing = attributeNames.filter((name) => states[name] === 'missing')
  const other = attributeNames.filter((name) => states[name] === 'other type')
  const lines = other.map(
    (name) => `${name} must be a Keyword: rename or remove the one that is there, then run \`lakeward setup\` again.`,
  )
  if (missing.length === 0) return lines
  if (allowed) return [...lines, `missing: ${missing.join(', ')}; \`lakeward setup\` registers them`]
  const flags = missing.map((name) => `--sa "${name}=Keyword"`).join(' ')
  return [
    ...lines,
    'This login may not register search attributes. Flows run without them; to find runs by flow, an administrator',
    // https://docs.temporal.io/cloud/tcld/namespace/search-attributes
    `  in Temporal Cloud: tcld namespace search-attributes add --namespace ${namespace} ${flags}`,
    `    or in the Web UI: Namespaces > ${namespace} > Edit > Custom Search Attributes, each of type Keyword`,
    `  in a cluster of your own: temporal operator search-attribute create --namespace ${namespace} ` +
      missing.map((name) => `--name ${name} --type Keyword`).join(' '),
  ]
}
