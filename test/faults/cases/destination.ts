/**
 * A bucket that misbehaves at each request of a run:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import type { KillLane } from '../../e2e/kill-lanes.ts'
import { FIRST_RUN } from '../../e2e/kill-points.ts'
import type { KillPoint } from '../../e2e/kill-points.ts'
import type { Trouble } from '../../e2e/s3-gate.ts'
import type { LaneCase } from '../fault-case.ts'

interface Step {
  method: string
  path: string
  /** It is refused where something is already. */
  isConditional?: true
}

/** `{lane}`: the lane's ledger; `{data}`: its files. */
const steps: Record<string, Step> = {
  'the ledger is listed': { method: 'GET', path: 'list-type=2.*prefix={lane}' },
  'the plan is written': { method: 'PUT', path: '{lane}/plans/', isConditional: true },
  'an upload is begun': { method: 'POST', path: '{data}/.*[?&]uploads' },
  'a part is sent': { method: 'PUT', path: '{data}/.*partNumber=' },
  'a unit is recorded': { method: 'PUT', path: '{lane}/units/', isConditional: true },
  'a record of a unit is read': { method: 'GET', path: '{lane}/units/' },
  'the entry is written': { method: 'PUT', path: '{lane}/commits/00000001.json', isConditional: true },
  'the entry is read back': { method: 'GET', path: '{lane}/commits/00000001.json' },
  'an upload is completed': { method: 'POST', path: '{data}/.*[?&]uploadId=' },
  'the outcome is written': { method: 'PUT', path: '{lane}/commits/00000001.outcome', isConditional: true },
  'the outcome is read back': { method: 'GET', path: '{lane}/commits/00000001.outcome' },
  'a record of a unit goes': { method: 'DELETE', path: '{lane}/units/' },
  'the plan goes': { method: 'DELETE', path: '{lane}/plans/' },
}

const internal = { status: 500, code: 'InternalError' }
/** The SDK asks three times: what happens four times comes to us. */
const everywhere: [fault: string, trouble: Trouble, times: number][] = [
  ['500, four times', { error: internal }, 4],
  ['503 SlowDown, twice', { error: { status: 503, code: 'SlowDown' } }, 2],
  ['connection reset, four times', {}, 4],
  ['answer lost', { done: true }, 1],
  ['answer lost, three times', { done: true }, 3],
  ['done, and answered 500', { done: true, error: internal }, 1],
  ['credentials expired', { error: { status: 403, code: 'ExpiredToken' } }, 1],
]
const conditional: typeof everywhere = [
  ['409, twice', { error: { status: 409, code: 'ConditionalRequestConflict' } }, 2],
  ['done, and answered 412', { done: true, error: { status: 412, code: 'PreconditionFailed' } }, 1],
  ['done, and answered 409', { done: true, error: { status: 409, code: 'ConditionalRequestConflict' } }, 1],
]
const uploads: [step: string, fault: string, trouble: Trouble, times: number][] = [
  [
    'an upload is completed',
    'answered 200, an error in the body',
    { error: { status: 200, code: 'InternalError' } },
    1,
  ],
  [
    'an upload is completed',
    'done, and answered 200 with an error in the body',
    { done: true, error: { status: 200, code: 'InternalError' } },
    1,
  ],
  ['an upload is completed', 'done, and answered 404', { done: true, error: { status: 404, code: 'NoSuchUpload' } }, 1],
  ['a part is sent', 'disk full', { error: { status: 507, code: 'XMinioStorageFull' } }, 1],
  ['the entry is written', 'disk full', { error: { status: 507, code: 'XMinioStorageFull' } }, 1],
]
/** Longer than the SDK itself tries: waits of half a minute. */
const patient: typeof uploads = ['a part is sent', 'the entry is written', 'an upload is completed'].flatMap((step) => [
  [step, '503 SlowDown, six times', { error: { status: 503, code: 'SlowDown' } }, 6],
  [step, 'never answered', { silent: true }, 1],
])

const group = 'destination' as const
const lake = 'versitygw' as const

const caseOf = (step: string, fault: string, trouble: Trouble, times: number): LaneCase => ({
  ...{ group, step, fault, lake },
  arm: (lane) => strike(lane, steps[step]!, trouble, times),
})

function strike(lane: KillLane, { method, path }: Step, trouble: Trouble, times: number): void {
  const ledger = `_lakeward/${lane.flow.name}/Account`
  const where = path.replace('{lane}', ledger).replace('{data}', `/${lane.folder}`)
  lane.stage.s3!.gate.strike([{ method, path: where, times, do: trouble }])
}

/** What `AbortIncompleteMultipartUpload` does, to one lane. */
async function drop({ stage, folder }: KillLane): Promise<void> {
  const { client, bucket: Bucket } = stage.s3!.at
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: `${folder}/` }))
  for (const { Key, UploadId } of Uploads) await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
}

/** A rule of the bucket drops what is staged: the rows are read again. */
const dropped: LaneCase[] = ['a part is sent', 'the entry is written', 'an upload is completed'].map((step) => ({
  ...{ group, step, fault: 'NoSuchUpload: a rule dropped it', lake, again: 4_000 },
  arm: (lane) => strike(lane, steps[step]!, { before: () => drop(lane) }, 1),
}))

const refused: LaneCase[] = ['an upload is begun', 'the entry is written', 'an upload is completed'].map((step) => ({
  ...{ group, step, fault: 'KMS key disabled', lake, again: 4_000, fails: /KMS/ },
  arm: (lane) => strike(lane, steps[step]!, { error: { status: 400, code: 'KMS.DisabledException' } }, 30),
}))

/** A directory whose disk is full, or fails, at each deed of a commit. */
const disks: LaneCase[] = ['ENOSPC', 'EIO'].flatMap((fails) =>
  ['plan-written', 'file-staged', 'unit-recorded', 'entry-written', 'first-file-visible', 'outcome-written'].map(
    (step): LaneCase => {
      const point = FIRST_RUN[step]!
      const disk = { point: { ...point, at: { ...point.at, done: 0 } as KillPoint['at'] }, fails }
      return { group, step, fault: fails === 'EIO' ? 'the disk fails' : 'the disk is full', lake: 'file', disk }
    },
  ),
)

export const destination: LaneCase[] = [
  ...disks,
  ...Object.entries(steps).flatMap(([step, { isConditional }]) =>
    [...everywhere, ...(isConditional ? conditional : [])].map(([fault, trouble, times]) =>
      caseOf(step, fault, trouble, times),
    ),
  ),
  ...uploads.map((one) => caseOf(...one)),
  ...patient.map((one) => ({ ...caseOf(...one), again: 2_400 })),
  ...dropped,
  ...refused,
]
