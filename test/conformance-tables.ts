/** Which connector meets which case of the suites, and how many lines each connector has. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Met {
  suite: string
  name: string
  state: 'passed' | 'failed' | 'skipped' | 'pending'
}

/** Suites are called `<connector> as <role>`. */
const ROLE = /^(.+) as (a source|a lake's store|tables|records|events)$/
const WAIVED = / \(waived: .*\)$/
const MARKS = { passed: 'ok', failed: 'FAILED', skipped: '-', pending: 'FAILED' } as const
const CONNECTORS = fileURLToPath(new URL('../connectors/', import.meta.url))

export function conformanceTables(tests: Met[]): string[] {
  const roles = new Map<string, Map<string, Map<string, string>>>()
  for (const { suite, name, state } of tests) {
    const [, system, role] = ROLE.exec(suite) ?? []
    if (!system || !role) continue
    const cases = of(roles, role, () => new Map<string, Map<string, string>>())
    const waived = WAIVED.test(name)
    of(cases, name.replace(WAIVED, ''), () => new Map<string, string>()).set(system, waived ? 'waived' : MARKS[state])
  }
  const lines = [...roles].flatMap(([role, cases]) => tableOf(`as ${role}`, cases))
  return lines.length > 0 ? [...lines, ...connectorLines()] : []
}

function tableOf(title: string, cases: Map<string, Map<string, string>>): string[] {
  const systems = [...new Set([...cases.values()].flatMap((met) => [...met.keys()]))].toSorted()
  const first = Math.max(title.length, ...[...cases.keys()].map((name) => name.length))
  const line = (name: string, cells: string[]): string =>
    [name.padEnd(first), ...cells.map((cell, at) => cell.padEnd(systems[at]!.length))].join('  ').trimEnd()
  const rows = [...cases].map(([name, met]) =>
    line(
      name,
      systems.map((system) => met.get(system) ?? ''),
    ),
  )
  return [line(title, systems), ...rows, '']
}

function connectorLines(): string[] {
  const counted = readdirSync(CONNECTORS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !['lake', 'records', 'codec'].includes(entry.name))
    .map(({ name }) => `${name} ${linesBelow(join(CONNECTORS, name))}`)
  return [`lines of code per connector: ${counted.join(', ')}`, '']
}

function linesBelow(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return files.reduce((sum, name) => sum + readFileSync(join(folder, name), 'utf8').split('\n').length - 1, 0)
}

function of<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}
