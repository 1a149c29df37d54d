/**
 * One flow's ranges on several worker processes, at a source that asks for fewer requests at once. With
 * LAKEWARD_THOROUGH=1 alone: a source has to be large before it is read in ranges.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { describeWithTemporal } from '../temporal.ts'
import { SAME, sameRows } from './lane-files.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

const ACCOUNTS = 60_000
const WORKERS = 4
const THOROUGH = process.env['LAKEWARD_THOROUGH'] === '1'

describeWithTemporal('many ranges', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    if (!THOROUGH) return
    const salesforce = { accounts: ACCOUNTS, opportunities: 0, contacts: 0, pageMs: 50 }
    stage = await openStage(temporal, { salesforce, heartbeatSeconds: 45 })
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, object> }
    Object.assign(installation.connections[stage.crm]!, { limits: { parallel: 8 } })
    writeFileSync(path, stringify(installation))
    for (let i = 0; i < WORKERS; i++) {
      await stage.startWorker({ args: ['--slots', '2'] })
    }
  })
  afterAll(() => stage?.stop())

  it.skipIf(!THOROUGH)('are read by all workers of a queue, each row once', async () => {
    const flow = stage.flow(`
name: shared
source: { settle: 0s, options: { api: rest }, objects: [{ object: Account, into: accounts, transform: [{ keep: [Id, Name, SystemModstamp] }] }] }
destination: { prefix: shared }
`)
    // Each page of the first is refused some times, as orgs do that are asked too much.
    const body =
      '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded."}]'
    const headers = { 'retry-after': '1' }
    stage.sandbox.control.fault({ match: '/query', skip: 12, times: 3, do: { answer: { status: 503, headers, body } } })
    const run = await stage.start(flow)
    const result = await run.result()
    expect(result).toMatchObject({ read: ACCOUNTS, written: ACCOUNTS, objects: [{ status: 'done' }] })
    expect(result.objects[0]?.proof).toMatch(/^proven/)
    expect(result.objects[0]?.notes.join()).toContain('asked for fewer requests at once')
    const truth = [...stage.sandbox.control.truth('Account', { includeDeleted: true })]
    expect(await sameRows(stage, 'shared/accounts', truth)).toEqual(SAME)

    const lane = stage.client.workflow.getHandle(`flow/${flow.name}/Account`)
    const { events } = await lane.fetchHistory()
    const scheduled = new Map(
      (events ?? []).flatMap(({ eventId, activityTaskScheduledEventAttributes: step }) =>
        step?.activityType?.name === 'extractUnit' ? [[String(eventId), step.taskQueue?.name]] : [],
      ),
    )
    expect(new Set(scheduled.values())).toEqual(new Set([`${stage.queue}-units`]))
    const workers = new Set(
      (events ?? []).flatMap(({ activityTaskStartedEventAttributes: start }) =>
        start && scheduled.has(String(start.scheduledEventId)) ? [start.identity] : [],
      ),
    )
    expect(workers.size).toBe(WORKERS)
    expect(scheduled.size).toBeGreaterThan(WORKERS)
  })
})
