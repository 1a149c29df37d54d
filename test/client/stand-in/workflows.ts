/**
 * Workflows that stand in for the real ones: the same types, ids, queries and failures, told what to do by the flow's
 * tag `act`. The client cannot tell the difference, and no source or lake is needed.
 */
import { ApplicationFailure } from '@temporalio/common'
import { defineQuery, setHandler, sleep, startChild, workflowInfo } from '@temporalio/workflow'
import type { LaneProgress, ObjectResult, RunProgress, RunResult } from '../../../activities/digests.ts'

const runProgress = defineQuery<RunProgress>('progress')
const laneProgress = defineQuery<LaneProgress>('progress')

interface Flow {
  name: string
  source: { objects: string[] }
  tags?: { act?: string }
  run?: { objects?: string[] }
}

export async function runFlow(flow: Flow): Promise<RunResult> {
  const act = flow.tags?.act ?? 'ok'
  if (act === 'invalid') {
    throw ApplicationFailure.nonRetryable('source.connection: no connection is called crm', 'FlowInvalid')
  }
  const names = flow.run?.objects ?? flow.source.objects
  const lanes = new Map<string, LaneProgress>()
  setHandler(runProgress, () => ({ flow: flow.name, objects: [...lanes.values()] }))
  const results: ObjectResult[] = []
  for (const [index, object] of names.entries()) {
    const workflowId = `flow/${flow.name}/${encodeURIComponent(object)}`
    lanes.set(object, { ...waiting(object, workflowId), phase: 'reading' })
    const child = await startChild<typeof syncObject>('syncObject', {
      workflowId,
      args: [{ object, act, index }],
      ...(act === 'elsewhere' ? { taskQueue: `${workflowInfo().taskQueue}-elsewhere` } : {}),
    })
    const result = await child.result()
    lanes.set(object, { ...waiting(object, workflowId), ...result, phase: result.status })
    results.push(result)
  }
  const sum = (member: 'read' | 'written' | 'bytes' | 'files' | 'calls') =>
    results.reduce((all, one) => all + (one[member] ?? 0), 0)
  const result: RunResult = {
    version: 1,
    flow: flow.name,
    objects: results,
    read: sum('read'),
    written: sum('written'),
    bytes: sum('bytes'),
    files: sum('files'),
    calls: sum('calls'),
    notes: [],
  }
  const failed = results.filter((one) => one.status === 'failed')
  if (failed.length === 0) return result
  throw ApplicationFailure.nonRetryable(`${failed.length} of ${results.length} objects failed`, 'ObjectsFailed', result)
}

export async function syncObject(task: { object: string; act: string; index: number }): Promise<ObjectResult> {
  const { object, act, index } = task
  const progress = { ...waiting(object, workflowInfo().workflowId), phase: 'reading' as LaneProgress['phase'] }
  setHandler(laneProgress, () => progress)
  progress.read = progress.written = 1000
  progress.position = '1,000 of 3,000'
  // The server rounds timers up to a second: one, for the first object, is enough to be seen on the way.
  if (index === 0) await sleep(100)
  if (act === 'hang') {
    await sleep('1 hour')
  }
  const fails = act === 'all' || act === 'unauthorized' || (act === 'partly' && index > 0)
  const type = act === 'unauthorized' ? 'ConnectionUnauthorized' : 'RequestRejected'
  return {
    object,
    status: fails ? 'failed' : 'done',
    entry: fails ? null : 1,
    read: 3000,
    written: fails ? 0 : 3000,
    filtered: 0,
    dropped: 0,
    quarantined: 0,
    pages: 1,
    bytes: fails ? 0 : 123_456,
    files: fails ? 0 : 1,
    calls: 7,
    from: null,
    watermark: '2026-05-06T00:00:00Z',
    notes: index === 0 ? ['12 rows are held back until they settle'] : [],
    ...(fails ? { error: { type, message: `[stand-in] read ${object} failed: refused` } } : {}),
  }
}

function waiting(object: string, workflowId: string): LaneProgress {
  return {
    object,
    workflowId,
    phase: 'waiting',
    read: 0,
    written: 0,
    bytes: 0,
    files: 0,
    calls: 0,
    counted: 3000,
    position: '',
    restarts: 0,
  }
}
