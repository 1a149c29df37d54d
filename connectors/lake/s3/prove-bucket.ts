/** What only a bucket can be asked: checksums, encryption, and the rules that delete, abort or keep objects in it. */
import type { LifecycleRule } from '@aws-sdk/client-s3'
import type { Check, Finding } from '../../check.ts'
import { check, failed, skipped, warning } from '../../check.ts'
import { nonce } from '../keys.ts'
import type { Output, S3Calls } from './s3-calls.ts'
import { meaningOf, PERMISSIONS } from './s3-errors.ts'

/** A run that waits for a vendor's quota may take days. */
const SHORTEST_ABORT_DAYS = 7
/** Classes whose objects cannot be read at once. */
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
const ARCHIVES = ['GLACIER', 'DEEP_ARCHIVE']

/** `base`: the lake's folder in the bucket, with its slash, or nothing. `folder`: below it, the doctor's own. */
export async function* proveBucket(s3: S3Calls, base: string, folder: string): AsyncGenerator<Check> {
  const key = (name: string): string => `${base}${folder}${name}`
  yield await check('checksums', () => checksums(s3, key(`checksum-${nonce()}`)))
  yield await check('encryption', () => encryption(s3, key(`encrypted-${nonce()}`)))
  yield await check('lifecycle rules', async () => {
    const rules = await asked(s3, 'GetBucketLifecycleConfiguration', 'NoSuchLifecycleConfiguration')
    return rules === null
      ? 'there are none'
      : 'untold' in rules
        ? rules.untold
        : lifecycle(rules.answer.Rules ?? [], base)
  })
  yield await check('versioning', async () => {
    const found = await asked(s3, 'GetBucketVersioning', 'NoSuchVersioningConfiguration')
    return found === null ? 'off' : 'untold' in found ? found.untold : versioning(found.answer.Status)
  })
  yield await check('object lock', async () => {
    const found = await asked(s3, 'GetObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError')
    if (found === null) return 'off'
    if ('untold' in found) return found.untold
    const { Mode, Days = 0, Years = 0 } = found.answer.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {}
    if (!Mode) return 'on, without a retention for all objects'
    return warning(
      `${Mode.toLowerCase()}, ${Years > 0 ? `${Years} years` : `${Days} days`}`,
      'Lakes work with it; what runs clean up, and files that `replace` replaces, stay as locked versions so long.',
    )
  })
}

/** A part whose bytes are not what its checksum says must be refused, and a completed file must keep its own. */
async function checksums(s3: S3Calls, Key: string): Promise<Finding> {
  const doing = 'upload with checksums'
  const begun = await s3.call(doing, 'CreateMultipartUpload', { Key, ChecksumAlgorithm: 'CRC32', ...s3.encryption })
  const part = { Key, UploadId: begun.UploadId, PartNumber: 1 }
  try {
    const bad = await s3.send('UploadPart', { ...part, Body: Buffer.from('bytes'), ChecksumCRC32: 'AAAAAA==' }).then(
      () => 'accepted',
      () => 'refused',
    )
    if (bad === 'accepted') {
      return warning('a part with a wrong CRC32 is accepted', 'Bytes that the network bends would not be noticed here.')
    }
    const Body = Buffer.from('bytes')
    const good = await s3.call(doing, 'UploadPart', { ...part, Body, ChecksumAlgorithm: 'CRC32' })
    const Parts = [{ PartNumber: 1, ETag: good.ETag, ChecksumCRC32: good.ChecksumCRC32 }]
    await s3.call(doing, 'CompleteMultipartUpload', { Key, UploadId: begun.UploadId, MultipartUpload: { Parts } })
  } finally {
    await s3.send('AbortMultipartUpload', { Key, UploadId: begun.UploadId }).catch(() => {})
  }
  const { ChecksumCRC32 } = await s3.call(doing, 'HeadObject', { Key, ChecksumMode: 'ENABLED' })
  if (ChecksumCRC32) return 'CRC32 is checked and kept'
  return warning('CRC32 is checked, and not kept with the object', 'Lakes work; copies cannot be compared by it.')
}

async function encryption(s3: S3Calls, Key: string): Promise<Finding> {
  const wanted = s3.encryption
  await s3.call('write encrypted', 'PutObject', { Key, Body: Buffer.from('bytes'), ...wanted })
  const { ServerSideEncryption: mode, SSEKMSKeyId: keyId } = await s3.call('look at encryption', 'HeadObject', { Key })
  const found = mode ? `${mode}${keyId ? ` with ${keyId}` : ''}` : 'none'
  if (wanted.ServerSideEncryption === undefined || mode === wanted.ServerSideEncryption) return found
  return failed(
    `${found}, and ${wanted.ServerSideEncryption} is configured`,
    'The store ignores what it is asked for: use one that encrypts, or `encryption: {mode: none}` if that is meant.',
  )
}

type Asked = 'GetBucketLifecycleConfiguration' | 'GetBucketVersioning' | 'GetObjectLockConfiguration'

/** null: the bucket has none. Rules are a bonus: who may not read them, or a store without them, is no failure. */
async function asked<O extends Asked>(
  s3: S3Calls,
  operation: O,
  none: string,
): Promise<{ answer: Output<O> } | { untold: Finding } | null> {
  try {
    return { answer: await s3.send(operation, {} as Parameters<typeof s3.send<O>>[1]) }
  } catch (error) {
    const { code, status } = meaningOf(error)
    if (code === none || status === 404) return null
    if (status === 403) return { untold: skipped(`this login may not read them (${PERMISSIONS[operation]})`) }
    if (status === 501 || status === 405 || status === 400) return { untold: skipped('the store does not know them') }
    throw s3.translated(error, 'ask for rules of the bucket', operation)
  }
}

/** Rules that reach what the lake writes. Ours has no tags, so rules for tagged objects do not. */
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
export function lifecycle(rules: LifecycleRule[], base: string): Finding {
  const aborting: string[] = []
  const taking: string[] = []
  let takesLedger = false
  for (const rule of rules) {
    const prefix = rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? rule.Prefix ?? ''
    if (rule.Status !== 'Enabled' || rule.Filter?.Tag || rule.Filter?.And?.Tags?.length) continue
    const reaches = (folder: string): boolean => folder.startsWith(prefix) || prefix.startsWith(folder)
    if (!reaches(base)) continue
    const name = `${rule.ID ?? 'a rule'} (prefix '${prefix}')`
    const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation
    if (days !== undefined && days < SHORTEST_ABORT_DAYS) aborting.push(`${name} aborts uploads after ${days} days`)
    const archives = (rule.Transitions ?? []).some(({ StorageClass = '' }) => ARCHIVES.includes(StorageClass))
    if (rule.Expiration?.Days === undefined && rule.Expiration?.Date === undefined && !archives) continue
    taking.push(`${name} ${archives ? 'archives' : 'deletes'} objects`)
    takesLedger ||= reaches(`${base}_lakeward/`)
  }
  const found = [...taking, ...aborting].join('; ')
  if (takesLedger) {
    const advice = `Keep rules off ${base}_lakeward/: the ledger would be lost, and with it what was read and committed.`
    return failed(found, advice)
  }
  if (taking.length > 0)
    return warning(found, 'Files that the ledger still names go away; readers of manifests miss them.')
  const advice = `A run that has not committed by then loses what it staged and reads again: ${SHORTEST_ABORT_DAYS} days or more.`
  return aborting.length > 0 ? warning(found, advice) : `${rules.length}, none of which harms a lake`
}

function versioning(status: string | undefined): Finding {
  if (status !== 'Enabled') return status === undefined ? 'off' : status.toLowerCase()
  return 'on: what is deleted stays as an old version, until a rule for noncurrent versions takes it'
}
