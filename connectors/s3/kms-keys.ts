/**
 * AWS KMS as a key service: https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
 *
 * Laws
 * - Which key opens a data key is read by KMS from the sealed bytes: an alias may be pointed at another key, and what
 *   the earlier one has sealed opens as long as that one does. Policies and the encryption context say who may.
 * - A message names the key and never the bytes.
 */
import type { KMSClientConfig } from '@aws-sdk/client-kms'
import type { ErrorKind } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { kept } from '../kept.ts'
import type { DataKeys } from '../lake/data-keys.ts'

export interface KmsOptions {
  /** Id, ARN or alias of a symmetric key. */
  keyId: string
  /** Default: of the machine (AWS_REGION, profile). */
  region?: string | undefined
  /** Default: AWS_ENDPOINT_URL_KMS, then the region's own. */
  endpoint?: string
  /** Default: the chain of the SDK. */
  credentials?: KMSClientConfig['credentials'] | undefined
}

export function kmsKeys({ keyId, region, endpoint, credentials }: KmsOptions): DataKeys {
  const kms = kept(async () => {
    const { KMSClient, GenerateDataKeyCommand, DecryptCommand } = await import('@aws-sdk/client-kms')
    const client = new KMSClient({
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
    })
    return { client, GenerateDataKeyCommand, DecryptCommand }
  })

  async function told<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw meaningOf(error, doing)
    }
  }

  return {
    name: keyId,
    generate: (context) =>
      told(`make a data key under ${keyId}`, async () => {
        const { client, GenerateDataKeyCommand } = await kms()
        const wanted = { KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: context } as const
        const { KeyId, Plaintext, CiphertextBlob } = await client.send(new GenerateDataKeyCommand(wanted))
        if (!KeyId || !CiphertextBlob || Plaintext?.length !== 32) throw new Error('the answer has no data key')
        return { id: KeyId, key: Plaintext, sealed: CiphertextBlob }
      }),
    open: (sealed, context) =>
      told(`open a data key that was made under ${keyId}`, async () => {
        const { client, DecryptCommand } = await kms()
        try {
          const wanted = { CiphertextBlob: sealed, EncryptionContext: context }
          const { Plaintext } = await client.send(new DecryptCommand(wanted))
          return Plaintext ?? null
        } catch (error) {
          // https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors
          if ((error as Error).name === 'InvalidCiphertextException') return null
          throw error
        }
      }),
  }
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html#API_GenerateDataKey_Errors */
const meanings: { names: RegExp; kind: ErrorKind; advice: string }[] = [
  {
    names: /^(NotFound|InvalidArn)Exception$/,
    kind: 'rejected',
    advice: 'Check the key (`encryption.keyId`, or `kmsKey` of the codec), its region and its account.',
  },
  {
    names: /^AccessDenied/,
    kind: 'forbidden',
    advice: 'Allow these workers kms:GenerateDataKey and kms:Decrypt on the key.',
  },
  {
    names: /^(Disabled|KMSInvalidState)Exception$/,
    kind: 'forbidden',
    advice: 'Enable the key, or cancel its deletion: what was sealed under it cannot be read without it.',
  },
  {
    names: /^(InvalidKeyUsage|UnsupportedOperation|Validation)Exception$/,
    kind: 'rejected',
    advice: 'A symmetric key for encryption is due.',
  },
  {
    names: /^(ExpiredToken|UnrecognizedClient|InvalidSignature|InvalidClientTokenId|MissingAuthentication|Credentials)/,
    kind: 'auth',
    advice: 'Check the AWS login of this process: environment, profile, or the role of the machine.',
  },
  { names: /^Throttling|^LimitExceeded/, kind: 'throttled', advice: 'KMS limits requests per account and region.' },
]

function meaningOf(error: unknown, doing: string): ConnectorError {
  const { name = 'Error', message = String(error), $fault } = error as Partial<Error> & { $fault?: string }
  const known = meanings.find(({ names }) => names.test(name))
  return new ConnectorError({
    connector: 'kms',
    doing,
    kind: known?.kind ?? ($fault === 'client' ? 'rejected' : 'transient'),
    reason: `${name}: ${message}`,
    code: name,
    ...(known ? { advice: known.advice } : {}),
  })
}
