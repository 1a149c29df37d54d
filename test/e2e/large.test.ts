/** Many Accounts of 40 fields (LAKEWARD_THOROUGH=1: 200,000): what they take of memory, history and silence. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithTemporal } from '../temporal.ts'
import { queryFiles } from './compare.ts'
import type { Stage, WorkerProcess } from './stage.ts'
import { openStage } from './stage.ts'

const ROWS = process.env['LAKEWARD_THOROUGH'] === '1' ? 200_000 : 80_000
const MEMORY_KB = 500_000
const EVENTS = 2_000
const SILENCE_MS = 30_000
/** temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED: it waits for a slot. */
const SCHEDULED = 1

describeWithTemporal(`${ROWS.toLocaleString('en')} Accounts`, (temporal) => {
  let stage: Stage
  let worker: WorkerProcess
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: ROWS, opportunities: 1 }, heartbeatSeconds: 45 })
    worker = await stage.startWorker()
  })
  afterAll(() => stage.stop())

  it('stay within 500 MB, 2,000 events and 30 s of silence', async () => {
    const flow = stage.flow(`
name: large
source: { settle: 0s, objects: [{ object: Account, into: accounts }] }
destination: { prefix: raw, fileSize: 8MB }
`)
    const started = await stage.start(flow)
    const lane = stage.client.workflow.getHandle(`flow/${flow.name}/Account`)
    let longestSilence = 0
    const watched = { ended: false }
    const result = started.result().finally(() => (watched.ended = true))
    while (!watched.ended) {
      const described = await lane.describe().catch(() => null)
      for (const activity of described?.raw.pendingActivities ?? []) {
        const beat = activity.lastHeartbeatTime ?? activity.lastStartedTime
        if (Number(activity.state) === SCHEDULED || !beat) continue
        longestSilence = Math.max(longestSilence, Date.now() - Number(beat.seconds) * 1000)
      }
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    expect(await result).toMatchObject({ read: ROWS, written: ROWS })
    const [row] = await queryFiles(
      join(stage.lake, 'raw', 'accounts'),
      'SELECT count(*) AS n, count(DISTINCT Id) AS ids FROM files',
    )
    expect([Number(row?.['n']), Number(row?.['ids'])]).toEqual([ROWS, ROWS])

    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${worker.pid}/status`, 'utf8'))?.[1])
    const events = (await lane.describe()).historyLength
    process.stdout.write(
      `${ROWS.toLocaleString('en')} Accounts: peak memory of the worker ${Math.round(peak / 1000)} MB, ${events} events, ` +
        `longest silence ${Math.round(longestSilence / 1000)} s\n`,
    )
    expect(peak).toBeLessThan(MEMORY_KB)
    expect(events).toBeLessThan(EVENTS)
    expect(longestSilence).toBeLessThan(SILENCE_MS)
  }, 300_000)
})
