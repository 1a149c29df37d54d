/**
 * What an error of S3, of its SDK or of the network means: the one place that knows.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 *
 * Law: how an error is told apart is its code, and its status where it has no body; its text is only shown.
 */
import type { ErrorKind } from '../../connector.ts'
import { ConnectorError, InputError } from '../../errors.ts'
import { LakeError } from '../errors.ts'
import type { S3Operation } from './s3-calls.ts'

export interface S3Meaning {
  /** The vendor's code; `network` where there was no answer, empty where neither is known. */
  code: string
  status: number
}

export interface S3Doing {
  doing: string
  operation: S3Operation
  bucket: string
  region?: string | undefined
  endpoint?: string | undefined
}

interface SdkError extends Error {
  code?: string
  Code?: string
  Region?: string
  $metadata?: { httpStatusCode?: number }
  $response?: { statusCode?: number; headers?: Record<string, string> }
}

/** Codes of Node for an answer that did not come, or not to its end. */
const NETWORK = new Set(
  (
    'ECONNREFUSED ECONNRESET ECONNABORTED ENOTFOUND EAI_AGAIN ETIMEDOUT EHOSTUNREACH ENETUNREACH EPIPE EPROTO ' +
    'TimeoutError NetworkingError CERT_HAS_EXPIRED DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN ' +
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE UNABLE_TO_GET_ISSUER_CERT_LOCALLY ERR_TLS_CERT_ALTNAME_INVALID'
  ).split(' '),
)

export function meaningOf(error: unknown): S3Meaning {
  if (!(error instanceof Error)) return { code: '', status: 0 }
  const { $metadata, $response, code, Code, name, message } = error as SdkError
  const status = $response?.statusCode ?? $metadata?.httpStatusCode ?? 0
  const said = [Code, code, name].find((one) => one !== undefined && one !== '' && one !== 'Error') ?? ''
  if ([code, name].some((one) => NETWORK.has(one ?? ''))) return { code: 'network', status }
  if (status < 300 && /socket hang up|aborted|terminated|premature close/i.test(message)) {
    return { code: 'network', status }
  }
  return { code: said, status }
}

/** No such object or upload. A HEAD has no body to say it with. */
export function isAbsent(error: unknown): boolean {
  const { code, status } = meaningOf(error)
  if (code === 'NoSuchBucket') return false
  return code === 'NoSuchKey' || code === 'NoSuchUpload' || code === 'NotFound' || status === 404
}

/** The permission whose absence AWS answers with AccessDenied. */
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
export const PERMISSIONS: Record<S3Operation, string> = {
  ListObjectsV2: 's3:ListBucket on the bucket',
  GetObject: 's3:GetObject, and s3:ListBucket on the bucket',
  HeadObject: 's3:GetObject, and s3:ListBucket on the bucket (without it what is absent looks forbidden)',
  PutObject: 's3:PutObject',
  DeleteObject: 's3:DeleteObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  ListMultipartUploads: 's3:ListBucketMultipartUploads on the bucket',
  GetBucketLifecycleConfiguration: 's3:GetLifecycleConfiguration on the bucket',
  GetBucketVersioning: 's3:GetBucketVersioning on the bucket',
  GetObjectLockConfiguration: 's3:GetBucketObjectLockConfiguration on the bucket',
}

export const NOT_S3 = 'Something that is not S3 answers there: correct `endpoint`, or look for a proxy on the way.'

interface Rule {
  codes: string[]
  kind: ErrorKind
  advice: string
}

const RULES: Rule[] = [
  {
    codes: ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired', 'InvalidToken'],
    kind: 'expired',
    advice: 'The session token has ended: give the workers a login that renews itself (a role), or a new token.',
  },
  {
    // The last is versitygw's word for a key that it does not know.
    codes: ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'AuthFailure', 'NotSignedUp', 'XAdminUserNotFound'],
    kind: 'auth',
    advice: 'Correct the access key and its secret: `auth` of the connection, or what the default chain finds.',
  },
  {
    codes: ['CredentialsProviderError', 'ProviderError', 'TokenProviderError'],
    kind: 'auth',
    advice:
      'There are no AWS credentials here: run the workers with a role (EC2, ECS, EKS), set AWS_PROFILE or ' +
      'AWS_ACCESS_KEY_ID, or write `auth: {type: aws_keys, …}` for the connection.',
  },
  {
    codes: ['RequestTimeTooSkewed', 'RequestInTheFuture'],
    kind: 'transient',
    advice: "This worker's clock is more than 15 minutes wrong: set it (NTP). The step is tried again.",
  },
  {
    codes: ['NoSuchUpload'],
    kind: 'transient',
    advice: 'Somebody else dropped the upload, a rule of the bucket perhaps: the file is staged anew.',
  },
  {
    codes: ['KMS'],
    kind: 'forbidden',
    advice: 'Enable the KMS key of `encryption.keyId`, or name one that exists in the region of the bucket.',
  },
  {
    codes: ['SlowDown', 'Throttling', 'ThrottlingException', 'TooManyRequestsException', 'RequestLimitExceeded'],
    kind: 'throttled',
    advice: 'The bucket takes no more requests for now; asking goes on more slowly.',
  },
  {
    codes: [
      'network',
      'RequestTimeout',
      'InternalError',
      'ServiceUnavailable',
      'OperationAborted',
      'ConditionalRequestConflict',
    ],
    kind: 'transient',
    advice: 'It is tried again. If it stays: the network, the endpoint and its certificate.',
  },
]

export function s3Error(error: unknown, about: S3Doing): Error {
  if (!(error instanceof Error) || isOurs(error)) return error as Error
  const { code, status } = meaningOf(error)
  // An error of this program, not of S3.
  if (code === '' || (status === 0 && /^(?:TypeError|RangeError|AbortError)$/.test(code))) {
    if (status === 0) return error
  }
  const where = `s3://${about.bucket}`
  if (code === 'NoSuchBucket') {
    const at = about.endpoint ?? about.region ?? 'AWS'
    const advice = 'Create it, or correct `bucket`, `region` or `endpoint` of the connection.'
    return new LakeError('LakeUnusable', { what: `there is no bucket ${about.bucket} at ${at}`, where, advice })
  }
  if (code === 'InvalidBucketName') {
    return new LakeError('LakeUnusable', { what: 'this is no name of a bucket', where, advice: 'Correct `bucket`.' })
  }
  const region = otherRegion(error, code, status)
  if (region !== null) {
    const what = `the bucket is not in ${about.region ?? 'the region of this worker'}`
    const advice = `Write \`region: ${region || '…'}\` for the connection.`
    return new LakeError('LakeUnusable', { what, where, advice })
  }
  // The SDK's own words tell people to look into its objects.
  if (/Deserialization error/.test(error.message)) {
    const reason = `${status} with something else than XML`
    return new ConnectorError({ connector: 's3', doing: about.doing, reason, kind: 'answer', status, advice: NOT_S3 })
  }
  // KMS.DisabledException and its like: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
  const group = code.startsWith('KMS.') ? 'KMS' : code
  const rule = RULES.find(({ codes }) => codes.includes(group))
  const details = { connector: 's3', doing: about.doing, reason: reasonOf(error, code, status, about) }
  const known = { ...details, ...(status > 0 && { status }), ...(code !== '' && { code }) }
  if (rule) {
    return new ConnectorError({ ...known, kind: rule.kind, advice: rule.advice })
  }
  if (status === 401 || status === 403)
    return new ConnectorError({ ...known, kind: 'forbidden', advice: denied(error, about) })
  if (status === 429 || status === 503) return new ConnectorError({ ...known, kind: 'throttled' })
  if (status >= 500) return new ConnectorError({ ...known, kind: 'transient' })
  return new ConnectorError({
    ...known,
    kind: 'rejected',
    advice: 'The store refuses what S3 takes: see its documentation.',
  })
}

function isOurs(error: Error): boolean {
  return error instanceof ConnectorError || error instanceof InputError || error instanceof LakeError
}

/** The region a bucket is in, empty where the answer does not tell; null: the region is not what is wrong. */
function otherRegion(error: Error, code: string, status: number): string | null {
  const { Region, $response, message } = error as SdkError
  const wrong =
    /^(?:PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/.test(
      code,
    ) ||
    status === 301 ||
    (status === 400 && $response?.headers?.['x-amz-bucket-region'] !== undefined)
  if (!wrong) return null
  return Region ?? $response?.headers?.['x-amz-bucket-region'] ?? /expecting '([a-z0-9-]+)'/.exec(message)?.[1] ?? ''
}

function denied(error: Error, about: S3Doing): string {
  const { message } = error
  if (/kms:/i.test(message)) {
    return 'Allow kms:GenerateDataKey and kms:Decrypt on the key, in the key policy and for the role.'
  }
  const own = /not authorized to perform: (\S+)/.exec(message)?.[1]
  return `Allow ${own ?? PERMISSIONS[about.operation]}; bucket policies and session policies may deny it as well.`
}

function reasonOf(error: Error, code: string, status: number, { endpoint, region }: S3Doing): string {
  const text = error.message.replace(/\s+/g, ' ').slice(0, 400)
  if (code === 'network')
    return `no answer from ${endpoint ?? `S3 in ${region ?? 'this region'}`}: ${text || error.name}`
  // A HEAD is answered without a body.
  const said = /^(?:UnknownError|Unknown|Error)?$/.test(text) ? '' : text
  return [code || `status ${status}`, said].filter(Boolean).join(': ')
}
