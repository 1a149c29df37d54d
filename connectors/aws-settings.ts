/** Settings that connections of AWS have in common. */
import { z } from 'zod'
import { text, words } from './strict.ts'

export const arn = (about: string, pattern: RegExp, shape: string) =>
  z
    .string()
    .regex(pattern, { error: words('is no ARN', shape) })
    .describe(about)

export const roleArn = (about: string) =>
  arn(about, /^arn:[\w-]+:iam::\d{12}:role\/[^,']+$/, 'arn:aws:iam::123456789012:role/name')

export const externalId = text('What the role asks for from others')

/** Where a service is asked; AWS itself, where nothing is said. */
export const apiEndpoint = (about: string) =>
  z
    .url({ protocol: /^https?$/, error: words('is no address', `https://host of ${about}, as in a VPC`) })
    .describe(`Another address of ${about}; default: AWS`)
