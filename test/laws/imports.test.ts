/**
 * The import law. Values flow connectors <- activities <- workflows <- client; worker sits on the first three; test on
 * all. `lawOf` says what is wrong with one import, so that the law itself is tested with imports that break it.
 */
import { builtinModules } from 'node:module'
import { describe, expect, it } from 'vitest'
import { codeFiles, filesBelow, type Import, importsOf, packageOf, roomOf, show, textOf } from './sources.ts'

interface Package {
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
}
const { dependencies, peerDependencies }: Package = JSON.parse(textOf('package.json'))
const SHIPPED = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)])
const BUILT_IN = new Set(builtinModules)

/** Rooms whose values a room may load; itself always. */
const BELOW: Record<string, string[]> = {
  connectors: [],
  activities: ['connectors'],
  workflows: [],
  worker: ['connectors', 'activities', 'workflows'],
  client: ['connectors'],
}
/** Temporal's packages that a room may load as values. */
const TEMPORAL: Record<string, string[]> = {
  connectors: [],
  activities: ['activity', 'common', 'client'],
  workflows: ['workflow', 'common'],
  worker: ['activity', 'client', 'common', 'envconfig', 'plugin', 'testing', 'worker', 'workflow'],
  client: ['client', 'common', 'envconfig', 'plugin'],
}
/** The contract, which everything else rests on: types of one another are all that these may import. */
const CONTRACT = ['connectors/connector.ts', 'connectors/record-sink.ts', 'connectors/events.ts', 'connectors/table.ts']
/** The only files that may load the worker's code or the sandbox, lazily: the command. */
const COMMAND = /^client\/(?:main\.ts|commands\/)/

function lawOf(found: Import): string | null {
  const room = roomOf(found.file)
  if (found.file.startsWith('test/sandboxes/')) {
    const inside = found.target.startsWith('test/sandboxes/')
    if (found.own && !inside) return 'a sandbox never imports what it tests'
    if (!found.own && found.target.startsWith('@temporalio/')) return 'a sandbox knows nothing of Temporal'
    return shippedLaw(found)
  }
  if (room === 'test') return found.file.startsWith('test/conformance/') ? shippedLaw(found) : null
  if (CONTRACT.includes(found.file)) {
    return CONTRACT.includes(found.target) && found.kind === 'type' ? null : 'the contract imports nothing but itself'
  }

  if (found.own) {
    const other = roomOf(found.target)
    if (other === room) return null
    if (room === 'connectors') return 'connectors know no other room, not even its types'
    if (found.kind === 'type') return other === 'test' ? 'the product does not import tests' : null
    if (found.kind === 'lazy' && COMMAND.test(found.file)) return null
    return (BELOW[room] ?? []).includes(other) ? null : `${room} may load ${BELOW[room]?.join(', ') || 'only itself'}`
  }
  const name = packageOf(found.target)
  if (name.startsWith('@temporalio/')) {
    if (room === 'connectors') return 'connectors have never heard of Temporal'
    if (found.kind === 'type' || (found.kind === 'lazy' && COMMAND.test(found.file))) return null
    const allowed = TEMPORAL[room] ?? []
    return allowed.includes(name.slice('@temporalio/'.length))
      ? null
      : `${room} may load ${allowed.join(', ')} of Temporal`
  }
  if (room === 'workflows' && found.kind !== 'type') return 'workflows load themselves and Temporal, nothing else'
  return shippedLaw(found)
}

function shippedLaw(found: Import): string | null {
  if (found.own) return null
  const name = packageOf(found.target)
  if (BUILT_IN.has(found.target)) return 'built-in modules are written with node:'
  if (found.target.startsWith('node:') || SHIPPED.has(name) || found.kind === 'type') return null
  return 'not a dependency of the package'
}

describe('the import law', () => {
  it('is kept by every file', () => {
    const broken = codeFiles()
      .flatMap((file) => importsOf(file))
      .flatMap((found) => {
        const law = lawOf(found)
        return law === null ? [] : [show(found, law)]
      })
    expect(broken).toEqual([])
  })

  it('sees every import there is: each file of ours that is imported exists', () => {
    const files = new Set([...codeFiles(), ...filesBelow('scripts')])
    const own = codeFiles().flatMap((file) => importsOf(file).filter((found) => found.own))
    expect(own.length).toBeGreaterThan(50)
    expect(
      own.filter((found) => !files.has(found.target)).map((found) => show(found, 'there is no such file')),
    ).toEqual([])
  })

  it.each([
    ['connectors/http.ts', "import { a } from '../activities/step.ts'"],
    ['connectors/http.ts', "import type { A } from '../activities/step.ts'"],
    ['connectors/http.ts', "import type { Client } from '@temporalio/client'"],
    ['connectors/connector.ts', "import type { A } from './errors.ts'"],
    ['connectors/table.ts', "import { A } from './connector.ts'"],
    ['activities/step.ts', "import { a } from '../workflows/profiles.ts'"],
    ['activities/step.ts', "import { Worker } from '@temporalio/worker'"],
    ['workflows/run-flow.ts', "import {\n  parseFlow,\n} from '../connectors/flow.ts'"],
    ['workflows/run-flow.ts', "import { z } from 'zod'"],
    ['workflows/run-flow.ts', "export * from '../activities/index.ts'"],
    ['workflows/run-flow.ts', "import 'node:fs'"],
    ['client/index.ts', "import { runWorker } from '../worker/worker.ts'"],
    ['client/index.ts', "const w = await import('../worker/worker.ts')"],
    ['client/index.ts', "import { Worker } from '@temporalio/worker'"],
    ['client/commands/worker.ts', "import { runWorker } from '../../worker/worker.ts'"],
    ['worker/worker.ts', "import { apply } from '../client/index.ts'"],
    ['worker/worker.ts', "import { startSalesforce } from '../test/sandboxes/salesforce/index.ts'"],
    ['worker/worker.ts', "import fs from 'fs'"],
    ['worker/worker.ts', "import { it } from 'vitest'"],
    ['test/sandboxes/salesforce/main.ts', "import { soql } from '../../../connectors/salesforce/soql.ts'"],
    ['test/sandboxes/salesforce/main.ts', "import type { Json } from '../../../connectors/connector.ts'"],
  ])('is broken in %s by %s', (file, source) => {
    expect(importsOf(file, source).map(lawOf)).toEqual([expect.any(String)])
  })

  it.each([
    ['activities/step.ts', "import { InputError } from '../connectors/errors.ts'"],
    ['workflows/run-flow.ts', "import type { Activities } from '../activities/index.ts'"],
    ['client/commands/worker.ts', "const { runWorker } = await import('../../worker/worker.ts')"],
    ['client/index.ts', "// import { runWorker } from '../worker/worker.ts'"],
    ['test/e2e/any.test.ts', "import { runWorker } from '../../worker/worker.ts'"],
  ])('is kept in %s by %s', (file, source) => {
    expect(importsOf(file, source).map(lawOf).filter(Boolean)).toEqual([])
  })
})

describe('systems', () => {
  // Folders of connectors/ that are systems, and systems to come.
  const folders = filesBelow('connectors').flatMap((path) => /^connectors\/([a-z0-9-]+)\//.exec(path)?.[1] ?? [])
  const systems = new Set([
    ...folders,
    'salesforce',
    's3',
    'file',
    'servicenow',
    'sap',
    'slack',
    'zendesk',
    'marketo',
    'redshift',
    'eventbridge',
    'callback',
  ])
  for (const name of ['records', 'lake', 'codec', 'files']) systems.delete(name)
  const named = [...systems].join('|')
  const compared = new RegExp(
    `(?:[!=]==?\\s*['"\`](${named})['"\`]|['"\`](${named})['"\`]\\s*[!=]==?|case\\s+['"\`](${named})['"\`])`,
  )

  it('differ by data and optional members: no core file compares with the name of one', () => {
    const core = codeFiles().filter((path) => roomOf(path) !== 'test' && path !== 'connectors/index.ts')
    const outside = core.filter((path) => !systems.has(/^connectors\/(?:lake\/)?([a-z0-9-]+)\//.exec(path)?.[1] ?? ''))
    const broken = outside.flatMap((path) =>
      textOf(path)
        .split('\n')
        .flatMap((line, at) => (compared.test(line) ? [`${path}:${at + 1} ${line.trim()}`] : [])),
    )
    expect(outside.length).toBeGreaterThan(20)
    expect(broken).toEqual([])
    expect(compared.test("if (connection.connector === 'salesforce') {")).toBe(true)
  })
})
