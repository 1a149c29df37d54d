/** A bucket as a place for files: AWS S3 and the stores that speak its language. */
import { z } from 'zod'
import type { Connector } from '../connector.ts'
import { InputError } from '../errors.ts'
import { fileSource } from '../files/file-source.ts'
import type { Encryption } from '../lake/s3/s3-calls.ts'
import { s3Store } from '../lake/s3/s3-store.ts'
import { always, choice, strict, text, words } from '../strict.ts'
import { bucketFiles } from './bucket-files.ts'
import { kmsKeys } from './kms-keys.ts'
import { sessionPolicy } from './session-policy.ts'
import { settleMs } from './settle.ts'

const encryption = strict('encryption', {
  mode: choice('How objects are encrypted at rest', ['none', 's3', 'kms']).default('none'),
  keyId: text('KMS key, its alias or ARN; with mode kms').optional(),
}).superRefine(({ mode, keyId }, context) => {
  if (mode === 'kms' || keyId === undefined) return
  const message = words("'keyId' belongs to mode kms", 'write mode: kms, or remove keyId')
  context.addIssue({ code: 'custom', path: ['keyId'], message })
}, always)

const settings = strict('an s3 connection', {
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, {
      error: (issue) =>
        issue.input === undefined
          ? words("'bucket' is missing", 'the name of the bucket')
          : words('is no name of a bucket', '3 to 63 of a-z, 0-9, - and inner dots; without s3://'),
    })
    .describe('Name of the bucket'),
  path: z
    .string()
    .refine((path) => path.split('/').every((part) => part !== '.' && part !== '..'), {
      error: words('has . or .. in it', 'a folder of the bucket: base/lake'),
    })
    .describe('Folder in the bucket; default: all of it')
    .default(''),
  region: text("Region of the bucket; default: the machine's (AWS_REGION, profile)").optional(),
  endpoint: z
    .url({ protocol: /^https?$/, error: words('is no address', 'https://host:port of an S3-compatible store') })
    .describe('Address of an S3-compatible store; default: AWS')
    .optional(),
  encryption: encryption.describe('Encryption at rest').optional(),
  role: z
    .string()
    .regex(/^arn:[\w-]+:iam::\d{12}:role\/.+$/, {
      error: words('is no ARN of a role', 'arn:aws:iam::123456789012:role/name'),
    })
    .describe('ARN of a role to assume')
    .optional(),
  externalId: text('What the role asks for from others').optional(),
})

export const s3: Connector = {
  name: 's3',
  title: 'A bucket of S3, or of a store that speaks its language',
  settings,
  auth: [{ type: 'aws_keys', send: 'none', optional: true }],
  limits: [],
  errors: [],
  // What a lake is, is written in the lake itself (`_lakeward/lake.json`).
  identity(session) {
    const { endpoint = 's3:/', bucket, path } = session.settings as unknown as Place
    return Promise.resolve([endpoint, bucket, path].filter(Boolean).join('/'))
  },
  source: fileSource({
    open: ({ settings: all, aws }) => bucketFiles({ ...(all as unknown as Place), credentials: aws?.() }),
    settleMs: 0, // an object appears whole
  }),
  destination: {
    lake: ({ settings: all, aws }, touched) => {
      const place = all as unknown as Place
      const credentials = aws?.(touched && sessionPolicy(place, touched))
      return s3Store({ ...place, settleMs: settleMs(), credentials })
    },
    dataKeys({ connection, settings: all, aws }) {
      const { region, encryption: of } = all as unknown as Place
      if (of?.mode !== 'kms') return null
      const { keyId } = of
      if (keyId) return kmsKeys({ keyId, region, credentials: aws?.() })
      const what = 'state is sealed by a key of its own, and none is named'
      const advice =
        'Write the id, alias or ARN of a symmetric KMS key; the one that S3 has of itself seals objects alone.'
      throw new InputError([{ what, where: `connections.${connection}.encryption.keyId`, advice }])
    },
  },
}

interface Place {
  bucket: string
  path: string
  region?: string
  endpoint?: string
  encryption?: Encryption
  role?: string
}
