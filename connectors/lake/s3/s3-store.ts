/**
 * A bucket, or a folder of one, as an object store (`../store.ts`).
 *
 * Laws
 * - What is staged is a multipart upload that is not completed: no reader sees it. Its parts carry CRC32, its metadata
 *   our unit id.
 * - `create` is `If-None-Match: *`, again on 409. `complete` never has a condition: keys carry a nonce, and its 409
 *   would throw staged data away.
 * - An error of a completion is settled by the object at the key, never by the ETag, which encryption makes opaque.
 * - Encryption headers go on every request that writes: bucket policies may demand them on each.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Check } from '../../check.ts'
import { ConnectorError } from '../../errors.ts'
import { LakeError } from '../errors.ts'
import type { ObjectStore, StagedFile, StageRequest, StagedWriter, StoredObject } from '../store.ts'
import { proveBucket } from './prove-bucket.ts'
import { cutListing, S3Calls, type S3Place } from './s3-calls.ts'
import { isAbsent, meaningOf, NOT_S3, type S3Meaning } from './s3-errors.ts'
import { Gate, PartWriter } from './s3-writer.ts'

/** A completion in flight elsewhere, of thousands of parts, takes minutes. */
const SETTLE_MS = 15 * 60_000
const UNIT = 'lakeward-unit'
/** Pauses between tries of a create that met another one, milliseconds; then it is the caller's to try again. */
const CONFLICT_PAUSES = [50, 100, 200, 400, 800, 1_600, 3_200, 6_400]
const TWICE_MS = 300
/** Parts on their way at once, of all files of a store: of 8 MiB each. */
const PARTS_AT_ONCE = 4

export interface S3StoreOptions extends S3Place {
  /** Folder in the bucket; empty: the whole bucket. */
  path: string
  /** How long an absent and unlisted upload may still appear, milliseconds; default 15 minutes. */
  settleMs?: number | undefined
}

export function s3Store(options: S3StoreOptions): ObjectStore {
  return new S3Store(options)
}

class S3Store implements ObjectStore {
  readonly name: string
  readonly settleMs: number
  readonly #s3: S3Calls
  readonly #base: string
  readonly #gate = new Gate(PARTS_AT_ONCE)

  constructor({ path, settleMs, ...place }: S3StoreOptions) {
    const folder = path.replace(/^\/+|\/+$/g, '')
    this.#base = folder === '' ? '' : `${folder}/`
    this.name = `s3://${place.bucket}${folder === '' ? '' : `/${folder}`}`
    this.settleMs = settleMs ?? SETTLE_MS
    this.#s3 = new S3Calls(place)
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
  async *list(prefix: string, { startAt = '' }: { startAt?: string } = {}): AsyncGenerator<StoredObject> {
    const from = Buffer.from(startAt)
    // StartAfter leaves out the key it names: it names one that stands before all that are wanted.
    const before = Array.from(startAt).slice(0, -1).join('')
    let ContinuationToken: string | undefined
    do {
      const page = await this.#s3.call(`list ${this.name}/${prefix}`, 'ListObjectsV2', {
        Prefix: this.#base + prefix,
        ...(before !== '' && { StartAfter: this.#base + before }),
        ...(ContinuationToken && { ContinuationToken }),
      })
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        const key = Key.slice(this.#base.length)
        if (Buffer.compare(Buffer.from(key), from) >= 0) yield { key, bytes: Size }
      }
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
      if (page.IsTruncated && !ContinuationToken) throw cutListing(`list ${this.name}/${prefix}`)
    } while (ContinuationToken)
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
  async get(key: string): Promise<Uint8Array | null> {
    const doing = `read ${this.#where(key)}`
    const read = async (): Promise<Uint8Array> => {
      const { Body, ContentType = '' } = await this.#s3.send('GetObject', { Key: this.#key(key) })
      if (ContentType.startsWith('text/html')) {
        // A page for people, of a proxy or a console: not the object, which would then seem damaged.
        const reason = 'an HTML page came for the object'
        throw new ConnectorError({ connector: 's3', doing, reason, kind: 'answer', advice: NOT_S3 })
      }
      return (await Body?.transformToByteArray()) ?? new Uint8Array(0)
    }
    try {
      return await read()
    } catch (error) {
      if (isAbsent(error)) return null
      // The body comes after the answer: a connection that is cut in it is not repeated by the SDK.
      if (meaningOf(error).code !== 'network') throw this.#s3.translated(error, doing, 'GetObject')
      try {
        return await read()
      } catch (again) {
        if (isAbsent(again)) return null
        throw this.#s3.translated(again, doing, 'GetObject')
      }
    }
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
  async head(key: string): Promise<StoredObject | null> {
    try {
      const found = await this.#s3.send('HeadObject', { Key: this.#key(key) })
      const unit = found.Metadata?.[UNIT]
      return { key, bytes: found.ContentLength ?? 0, ...(unit !== undefined && { unit }) }
    } catch (error) {
      if (isAbsent(error)) return null
      throw this.#s3.translated(error, `look for ${this.#where(key)}`, 'HeadObject')
    }
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
  async create(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#s3.send('PutObject', { Key: this.#key(key), Body: body, IfNoneMatch: '*', ...this.#s3.encryption })
        return 'created'
      } catch (error) {
        const { status } = meaningOf(error)
        if (status === 412) return 'exists'
        const pause = CONFLICT_PAUSES[attempt]
        if (status !== 409 || pause === undefined) {
          throw this.#s3.translated(error, `create ${this.#where(key)}`, 'PutObject')
        }
        await sleep(pause * (0.5 + Math.random()))
      }
    }
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
  async put(key: string, body: Uint8Array): Promise<void> {
    const input = { Key: this.#key(key), Body: body, ...this.#s3.encryption }
    await this.#s3.call(`write ${this.#where(key)}`, 'PutObject', input)
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
  async delete(key: string): Promise<void> {
    try {
      await this.#s3.send('DeleteObject', { Key: this.#key(key) })
    } catch (error) {
      if (!isAbsent(error)) throw this.#s3.translated(error, `delete ${this.#where(key)}`, 'DeleteObject')
    }
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
  async stage({ key, unit }: StageRequest): Promise<StagedWriter> {
    const doing = `stage ${this.#where(key)}`
    const begun = await this.#s3.call(doing, 'CreateMultipartUpload', {
      Key: this.#key(key),
      // Without it here the part's checksum, which the SDK sends by itself, cannot be named at the completion.
      ChecksumAlgorithm: 'CRC32',
      Metadata: { [UNIT]: unit },
      ...this.#s3.encryption,
    })
    const upload = begun.UploadId ?? ''
    const staged = {
      key,
      upload,
      unit,
      ...(begun.AbortDate && { dropped: begun.AbortDate.toISOString() }),
    }
    const put = async (number: number, body: Uint8Array): Promise<NonNullable<StagedFile['parts']>[number]> => {
      const part = { Key: this.#key(key), UploadId: upload, PartNumber: number, Body: body }
      const answer = await this.#s3.call(doing, 'UploadPart', { ...part, ChecksumAlgorithm: 'CRC32' })
      const crc32 = answer.ChecksumCRC32
      return { number, etag: answer.ETag ?? '', ...(crc32 !== undefined && { crc32 }) }
    }
    const abort = (): Promise<void> => this.abort({ key, upload })
    return new PartWriter({ put, abort, staged: (bytes, parts) => ({ ...staged, bytes, parts }) }, this.#gate)
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
  async complete(file: StagedFile): Promise<'done' | 'absent' | 'lost'> {
    for (let first = true; ; first = false) {
      const error = await this.#tryComplete(file)
      if (error === null) return 'done'
      const found = await this.head(file.key)
      if (found) return this.#settled(file, found)
      if (!(await this.#isListed(file))) {
        // Who completed it meanwhile has unlisted it before the object could be seen, or after.
        const late = await this.head(file.key)
        return late ? this.#settled(file, late) : 'absent'
      }
      if (error.code !== 'InvalidPart' && error.code !== 'EntityTooSmall') throw error.thrown
      // An abort that is under way looks the same: what is listed and still so has had its bytes replaced.
      if (!first) return 'lost'
      await sleep(TWICE_MS)
    }
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
  async abort({ key, upload }: Pick<StagedFile, 'key' | 'upload'>): Promise<void> {
    try {
      await this.#s3.send('AbortMultipartUpload', { Key: this.#key(key), UploadId: upload })
    } catch (error) {
      if (!isAbsent(error)) throw this.#s3.translated(error, `drop ${this.#where(key)}`, 'AbortMultipartUpload')
    }
  }

  async *staged(_areas: string, prefix: string): AsyncGenerator<{ key: string; upload: string }> {
    for await (const { Key, UploadId } of this.#s3.uploads(this.#base + prefix)) {
      yield { key: Key.slice(this.#base.length), upload: UploadId }
    }
  }

  /** S3 answers what is durable. */
  async settle(): Promise<void> {}

  prove(folder: string): AsyncIterable<Check> {
    return proveBucket(this.#s3, this.#base, folder)
  }

  /** What the completion met; null: it went well. */
  async #tryComplete(file: StagedFile): Promise<(S3Meaning & { thrown: Error }) | null> {
    const Parts = (file.parts ?? []).map(({ number, etag, crc32 }) => ({
      PartNumber: number,
      ETag: etag,
      ...(crc32 !== undefined && { ChecksumCRC32: crc32 }),
    }))
    const input = { Key: this.#key(file.key), UploadId: file.upload, MultipartUpload: { Parts } }
    try {
      await this.#s3.send('CompleteMultipartUpload', input)
      return null
    } catch (error) {
      const thrown = this.#s3.translated(error, `complete ${this.#where(file.key)}`, 'CompleteMultipartUpload')
      return { ...meaningOf(error), thrown }
    }
  }

  #settled(file: StagedFile, found: StoredObject): 'done' {
    if (found.bytes === file.bytes && found.unit === file.unit) return 'done'
    throw new LakeError('LedgerDamaged', {
      what: `the object has ${found.bytes} bytes of unit ${found.unit ?? 'none'}, and the ledger says ${file.bytes} of ${file.unit}`,
      where: this.#where(file.key),
      advice: 'Something else wrote it. Restore it, or see `lakeward repair NAME OBJECT`.',
    })
  }

  async #isListed({ key, upload }: StagedFile): Promise<boolean> {
    for await (const found of this.#s3.uploads(this.#key(key))) {
      if (found.Key === this.#key(key) && found.UploadId === upload) return true
    }
    return false
  }

  #where(key: string): string {
    return `${this.name}/${key}`
  }

  #key(key: string): string {
    const segments = key.split('/')
    if (segments.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
      throw new RangeError(`'${key}' is no key`)
    }
    return this.#base + key
  }
}
