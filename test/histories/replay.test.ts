/** What ran under any release that has histories here goes on under these workflows. */
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { beforeAll, expect, it } from 'vitest'
import { version } from '../../connectors/version.ts'
import { workflowsPath } from '../../worker/plugin.ts'
import { workflowBundle } from '../../worker/workflow-bundle.ts'
import { readScene, scenes } from './stored-histories.ts'

const all = scenes()
const bundle = workflowBundle(workflowsPath)
beforeAll(() => void Runtime.install({ logger: new DefaultLogger('ERROR') }))

it.each(all)('what ran under %s is replayed: %s', async (release, scene) => {
  const stored = readScene(release, scene)
  const failures: string[] = []
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: await bundle }, stored)) {
    if (error) failures.push(`${workflowId}: ${error.message}`)
  }
  expect(failures).toEqual([])
})

it('this release has histories of every workflow, of runs that continued, were cancelled, and failed', () => {
  const own = all.filter(([release]) => release === version()).flatMap(([release, scene]) => readScene(release, scene))
  const types = new Set(own.map(({ type }) => type))
  expect([...types].toSorted()).toEqual(['listenFlow', 'refreshConnection', 'runFlow', 'syncObject'])
  const last = new Set(own.map(({ history }) => String(history.events.at(-1)!['eventType'])))
  for (const ending of ['COMPLETED', 'FAILED', 'CANCELED', 'CONTINUED_AS_NEW']) {
    expect([...last]).toContain(`EVENT_TYPE_WORKFLOW_EXECUTION_${ending}`)
  }
})
