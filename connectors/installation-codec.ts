/**
 * `codec:` of lakeward.yaml: the keys that seal what lies in Temporal. Workers and commands read the same section; it
 * is the one part of the file that commands read which need Temporal alone.
 */
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { CodecKeySettings } from './codec/keys.ts'
import { parseText, readDocument } from './document.ts'
import { InputError } from './errors.ts'
import { secret } from './installation-auth.ts'
import { meant } from './nearest.ts'
import { always, examine, type Found, isTable, kind, problemsOf, shown, strict, text, words } from './strict.ts'

export interface CodecSettings {
  /** Id: key. Ids travel with every payload, so none is ever used again. */
  keys: Record<string, CodecKeySettings>
  /** Id of the key that seals; the others open what they sealed. Default: the only one. */
  use?: string
}

/** Short: it is part of every payload, and Temporal limits summaries to 400 bytes. */
const ID = /^[a-z0-9][a-z0-9_.-]{0,15}$/
const keyId = z
  .string()
  .regex(ID, {
    error: (issue) => words(`${shown(String(issue.input))} is no id of a key`, 'a-z, 0-9, _, . and -, 16 at most'),
  })
  .describe('The id of a key')

const inKms = strict('a codec key', {
  kmsKey: text('Id, ARN or alias of a key of AWS KMS'),
  region: text('Region of the key; default: that of the environment').optional(),
  endpoint: text('Another address of KMS').optional(),
})
const ways = '{ env: NAME }, { file: path } or { kmsKey: alias/NAME, region: REGION }'

const codecKeyOf = (plainSecrets: boolean) => {
  const given = secret(plainSecrets)
  // What names kmsKey is meant for KMS, whatever else is wrong with it.
  return z
    .union([inKms, given], {
      error: ({ input }) =>
        typeof input === 'string'
          ? words('is a secret in plain text', `keep it elsewhere and write ${ways}`)
          : words(`must be a key, not ${kind(input)}`, ways),
    })
    .describe(`A key: ${ways}`)
}

export const codecSchema = (plainSecrets: boolean) =>
  strict('codec', {
    keys: z
      .record(keyId, codecKeyOf(plainSecrets))
      .refine((keys) => Object.keys(keys).length > 0, { error: words('has no key', `write one: k1: ${ways}`) })
      .describe('Id: key. One seals, all of them open'),
    use: text('Id of the key that seals; default: the only one').optional(),
  })
    .superRefine((value, context) => {
      if (!isTable(value) || !isTable(value['keys'])) return
      const ids = Object.keys(value['keys'])
      const { use } = value
      const say = (path: string, what: string, advice: string): void =>
        context.addIssue({ code: 'custom', path: [path], message: words(what, advice) })
      if (use === undefined && ids.length > 1) say('use', "'use' is missing", `one of ${ids.join(', ')} seals`)
      else if (typeof use === 'string' && !ids.includes(use)) {
        say('use', `${shown(use)} is no key of codec.keys${meant(use, ids)}`, `there are: ${ids.join(', ')}`)
      }
    }, always)
    .describe('Seals what lies in Temporal: AES-256-GCM')

export interface FoundCodec {
  settings: CodecSettings
  /** What relative files of keys rest on. */
  directory: string
}

/**
 * LAKEWARD_CODEC (the section as YAML or JSON), or else `codec:` of the file; null: neither says anything. Of the file
 * nothing else is checked, and it need not be there unless `asked`.
 *
 * @throws InputError
 */
export async function readCodec(
  path: string,
  options: { asked?: boolean; plainSecrets?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<FoundCodec | null> {
  const { asked = false, plainSecrets = false, env = process.env } = options
  const given = env['LAKEWARD_CODEC']?.trim()
  if (given) {
    const { value } = parseText(given, 'LAKEWARD_CODEC')
    const read = examine(codecSchema(plainSecrets), value)
    if ('found' in read) throw new InputError(problemsOf(below(read.found), '', () => 'LAKEWARD_CODEC'))
    return { settings: read.value as CodecSettings, directory: process.cwd() }
  }
  if (!asked && !(await isThere(path))) return null
  const document = await readDocument(path, '`lakeward init` writes one, --config names another; ')
  const written = isTable(document.value) ? document.value['codec'] : undefined
  if (written === undefined) return null
  const read = examine(codecSchema(plainSecrets), written)
  if ('value' in read) return { settings: read.value as CodecSettings, directory: dirname(resolve(path)) }
  throw new InputError(problemsOf(below(read.found), path, (place) => document.at(place)))
}

const below = (found: Found[]): Found[] => found.map((problem) => ({ ...problem, path: ['codec', ...problem.path] }))

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
