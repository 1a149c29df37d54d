/** Calls of one bucket: the SDK, loaded when it is first needed, and its errors in our words. */
import type * as Sdk from '@aws-sdk/client-s3'
import type { AwsCredentials } from '../../connector.ts'
import { isLoopback } from '../../http.ts'
import { ConnectorError } from '../../errors.ts'
import { s3Error } from './s3-errors.ts'

export type Encryption = { mode: 'none' | 's3' | 'kms'; keyId?: string | undefined }

export interface S3Place {
  bucket: string
  region?: string | undefined
  /** Address of an S3-compatible store; path style follows from it. */
  endpoint?: string | undefined
  encryption?: Encryption
  /** Absent: the SDK's default chain. */
  credentials?: AwsCredentials | undefined
  /** So long a connection may be silent while an answer is waited for, milliseconds; default two minutes. */
  silenceMs?: number | undefined
}

/** S3 sends white space while it completes an upload of many parts; without a limit the SDK waits for ever. */
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
const SILENCE_MS = 120_000
const CONNECT_MS = 10_000

interface Calls {
  ListObjectsV2: [Sdk.ListObjectsV2CommandInput, Sdk.ListObjectsV2CommandOutput]
  GetObject: [Sdk.GetObjectCommandInput, Sdk.GetObjectCommandOutput]
  HeadObject: [Sdk.HeadObjectCommandInput, Sdk.HeadObjectCommandOutput]
  PutObject: [Sdk.PutObjectCommandInput, Sdk.PutObjectCommandOutput]
  DeleteObject: [Sdk.DeleteObjectCommandInput, Sdk.DeleteObjectCommandOutput]
  CreateMultipartUpload: [Sdk.CreateMultipartUploadCommandInput, Sdk.CreateMultipartUploadCommandOutput]
  UploadPart: [Sdk.UploadPartCommandInput, Sdk.UploadPartCommandOutput]
  CompleteMultipartUpload: [Sdk.CompleteMultipartUploadCommandInput, Sdk.CompleteMultipartUploadCommandOutput]
  AbortMultipartUpload: [Sdk.AbortMultipartUploadCommandInput, Sdk.AbortMultipartUploadCommandOutput]
  ListMultipartUploads: [Sdk.ListMultipartUploadsCommandInput, Sdk.ListMultipartUploadsCommandOutput]
  GetBucketLifecycleConfiguration: [
    Sdk.GetBucketLifecycleConfigurationCommandInput,
    Sdk.GetBucketLifecycleConfigurationCommandOutput,
  ]
  GetBucketVersioning: [Sdk.GetBucketVersioningCommandInput, Sdk.GetBucketVersioningCommandOutput]
  GetObjectLockConfiguration: [Sdk.GetObjectLockConfigurationCommandInput, Sdk.GetObjectLockConfigurationCommandOutput]
}
export type S3Operation = keyof Calls
type Input<C extends S3Operation> = Omit<Calls[C][0], 'Bucket'>
export type Output<C extends S3Operation> = Calls[C][1]

export class S3Calls {
  /** Headers of every request that writes an object. */
  readonly encryption: { ServerSideEncryption?: 'AES256' | 'aws:kms'; SSEKMSKeyId?: string; BucketKeyEnabled?: true }
  readonly #place: S3Place
  #opened: Promise<{ sdk: typeof Sdk; client: Sdk.S3Client }> | undefined

  constructor(place: S3Place) {
    this.#place = place
    this.encryption = encryptionHeaders(place.encryption ?? { mode: 'none' })
  }

  /** Errors as the SDK throws them. */
  async send<C extends S3Operation>(operation: C, input: Input<C>): Promise<Output<C>> {
    const { sdk, client } = await (this.#opened ??= open(this.#place))
    const Command = sdk[`${operation}Command`] as unknown as new (input: unknown) => Parameters<typeof client.send>[0]
    const answer: unknown = await client.send(new Command({ ...input, Bucket: this.#place.bucket }))
    return answer as Output<C>
  }

  /** Errors in our words; `doing` says what was tried: `list s3://acme-lake/`. */
  async call<C extends S3Operation>(doing: string, operation: C, input: Input<C>): Promise<Output<C>> {
    try {
      return await this.send(operation, input)
    } catch (error) {
      throw this.translated(error, doing, operation)
    }
  }

  translated(error: unknown, doing: string, operation: S3Operation): Error {
    return s3Error(error, { doing, operation, ...this.#place })
  }

  /**
   * Uploads that are not completed, of keys that begin so. Paged by the key alone: not every store takes back its own
   * upload marker.
   */
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
  async *uploads(Prefix: string): AsyncGenerator<{ Key: string; UploadId: string }> {
    const doing = `list what is staged in s3://${this.#place.bucket}/${Prefix}`
    let KeyMarker: string | undefined
    do {
      const page = await this.call(doing, 'ListMultipartUploads', {
        Prefix,
        ...(KeyMarker !== undefined && { KeyMarker }),
      })
      const next: string | undefined = page.IsTruncated ? page.NextKeyMarker : undefined
      if (page.IsTruncated && !next) throw cutListing(doing)
      yield* named(page.Uploads).filter(({ Key }) => Key !== next)
      if (next !== undefined) {
        if (next === KeyMarker) throw new Error(`the listing of uploads stands still at ${next}`)
        // A create whose answer was lost left a second upload of its key, and the page may end between the two.
        const last = await this.call(doing, 'ListMultipartUploads', { Prefix: next })
        yield* named(last.Uploads).filter(({ Key }) => Key === next)
      }
      KeyMarker = next
    } while (KeyMarker !== undefined)
  }
}

/** A listing that ends here would pass for a whole one. */
export function cutListing(doing: string): ConnectorError {
  const reason = 'the listing says that there is more, and not where it goes on'
  return new ConnectorError({ connector: 's3', doing, kind: 'answer', reason })
}

function named(uploads: Sdk.MultipartUpload[] = []): { Key: string; UploadId: string }[] {
  return uploads.flatMap(({ Key, UploadId }) => (Key !== undefined && UploadId !== undefined ? { Key, UploadId } : []))
}

interface UnsignedRequest {
  protocol: string
  hostname: string
  headers: Record<string, string>
}

// https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/client/s3/
async function open({
  region,
  endpoint,
  credentials,
  silenceMs = SILENCE_MS,
}: S3Place): Promise<{ sdk: typeof Sdk; client: Sdk.S3Client }> {
  const sdk = await import('@aws-sdk/client-s3')
  const client = new sdk.S3Client({
    // Safe because every write is create-once and read again.
    maxAttempts: 3,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: silenceMs },
    ...(region !== undefined && { region }),
    // Stores of one's own have no regions; the signature asks for a name.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true, region: region ?? 'us-east-1' }),
    ...(credentials && { credentials }),
  })
  // A part's bytes are not hashed for the signature, which halves what an upload costs: their CRC32 is signed, and TLS
  // keeps them. Over plain http they are, but for this machine.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const { protocol, hostname, headers } = args.request as UnsignedRequest
        const safe = protocol === 'https:' || isLoopback(hostname)
        if (commandName === 'UploadPartCommand' && safe) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
        return next(args)
      },
    { step: 'build', name: 'unsignedParts' },
  )
  return { sdk, client }
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
function encryptionHeaders(encryption: Encryption): S3Calls['encryption'] {
  if (encryption.mode === 'none') return {}
  if (encryption.mode === 's3') return { ServerSideEncryption: 'AES256' }
  const { keyId } = encryption
  return { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true, ...(keyId !== undefined && { SSEKMSKeyId: keyId }) }
}
