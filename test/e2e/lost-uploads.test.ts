/**
 * A rule of the bucket drops staged uploads between the commit and its completion: nothing of that entry counts, that
 * is said, and the lane reads the rows again.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { findVersitygw } from '../../worker/versitygw-binary.ts'
import { orSkip } from '../components.ts'
import { describeWithTemporal } from '../temporal.ts'
import type { Hang, KillLane, KillStage } from './kill-lanes.ts'
import { openKillStage } from './kill-lanes.ts'
import type { Bucket } from './lake-mirror.ts'
import type { Stage } from './stage.ts'
import { pause, until } from './until.ts'

const versitygw = await orSkip(findVersitygw(), 'staged uploads that a rule drops')

describeWithTemporal('a rule drops staged uploads after the commit', (temporal) => {
  describe.skipIf(!versitygw)('and the worker is killed there', () => {
    let kills: KillStage
    let lane: KillLane
    beforeAll(async () => {
      kills = await openKillStage(temporal, { dropped: {} }, { accounts: 1200 }, 'versitygw')
      // Files of a test are complete in a moment.
      kills.stage.env['LAKEWARD_SETTLE_SECONDS'] = '2'
      lane = kills.lanes.get('dropped')!
    })
    afterAll(() => kills.stop())

    it('void, the watermark goes back, it is said, and the rows are there once', async () => {
      const { gate, at } = kills.stage.s3!
      let worker = await kills.startWorker()
      lane.expectChanges()
      await lane.start()
      await lane.result()
      await worker.kill()

      lane.change(900)
      await pause(1100) // bounds are whole seconds
      const changed = lane.expectChanges()
      const complete: Hang = { name: 'complete', call: 'rename', path: '/raw/dropped', data: '/raw/dropped', done: 0 }
      worker = await kills.startWorker([complete])
      await lane.start()
      await until('the first completion', () => gate.halted().size > 0)
      await kills.kill(worker)
      const left = await lane.left()
      expect(left).toMatchObject({ entries: 2, outcomes: 1, data: 2 })
      expect(await dropUploads(at)).toBe(left.staged)

      worker = await kills.startWorker()
      const { objects } = await lane.result()
      expect(objects).toMatchObject([{ status: 'done', written: changed, entry: 4 }])
      const told = /2 of 2 staged files are gone.*the watermark is where it was, and the rows are read again/
      expect(objects[0]!.notes?.join('\n')).toMatch(told)
      const [first, lost, fence, again] = lane.entries()
      expect(fence?.kind).toBe('fence')
      expect(lost?.outcome).toMatchObject({ outcome: 'void' })
      expect(again?.outcome).toMatchObject({ outcome: 'done' })
      expect(again).toMatchObject({ before: { n: 1, watermark: first?.after.watermark } })
      expect(await lane.left()).toMatchObject({ plans: 0, units: 0, staged: 0 })
      expect(await lane.differs({ Id: 'VARCHAR', SystemModstamp: 'TIMESTAMP WITH TIME ZONE' })).toMatchObject({
        onlyFiles: [],
        onlySource: [],
        files: lane.expected.length,
      })
      expect(worker.output()).toMatch(told)
      expect(await detailsOf(kills.stage, lane.runId)).toMatch(told)
      writeFileSync(join(kills.stage.directory, 'flow.yaml'), stringify(lane.flow))
      await kills.stage.lakeward('apply', 'flow.yaml')
      const { stdout, stderr } = await kills.stage.lakeward('status', lane.flow.name)
      expect(stdout + stderr).toMatch(/^Account: entry 2 is void, nothing of it counts: 2 of 2 staged files are gone/m)
    })
  })
})

/** As the Web UI shows them. */
async function detailsOf({ client }: Stage, workflowId: string): Promise<string> {
  const told = await client.workflow.getHandle(workflowId).query('__temporal_workflow_metadata')
  return (told as { currentDetails: string }).currentDetails
}

/** What `AbortIncompleteMultipartUpload` does; tells how many there were. */
async function dropUploads({ client, bucket: Bucket }: Bucket): Promise<number> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
  for (const { Key, UploadId } of Uploads) await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
  return Uploads.length
}
