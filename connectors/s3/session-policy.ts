/**
 * What one flow may do in a bucket, as the policy of an assumed role's session: it can only take away from what the
 * role allows.
 */
import type { JsonObject } from '../connector.ts'

interface Scope {
  bucket: string
  path: string
  role?: string
}

/** `touched`: keys, or beginnings of keys that end in `/`, relative to `path`. */
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
export function sessionPolicy({ bucket, path, role }: Scope, touched: string[]): JsonObject {
  const folder = path.replace(/^\/+|\/+$/g, '')
  const partition = role?.split(':')[1] ?? 'aws'
  const arn = `arn:${partition}:s3:::${bucket}`
  const base = folder === '' ? arn : `${arn}/${folder}`
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:GetObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
        Resource: touched.map((key) => `${base}/${key}${key.endsWith('/') ? '*' : ''}`),
      },
      // Not narrowed to prefixes: without ListBucket for the bucket what is absent looks forbidden.
      { Effect: 'Allow', Action: ['s3:ListBucket', 's3:ListBucketMultipartUploads'], Resource: arn },
      // Which keys of KMS may be used is the role's business; here, only by way of S3.
      {
        Effect: 'Allow',
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Resource: '*',
        Condition: { StringLike: { 'kms:ViaService': 's3.*.amazonaws.com*' } },
      },
    ],
  }
}
