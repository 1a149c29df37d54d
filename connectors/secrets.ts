/**
 * Turns references to secrets into the secrets, when they are needed and no earlier.
 *
 * Law: a secret is never part of a message; messages name the reference.
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { InputError } from './errors.ts'

export type SecretRef = { env: string } | { file: string }

export interface ResolveOptions {
  /** Where the reference stands, for messages: `connections.crm.auth.clientSecret`. */
  where: string
  /** What relative file names rest on: the folder of lakeward.yaml. */
  directory: string
  env?: NodeJS.ProcessEnv
}

/** The secret; `InputError` where it is absent, unreadable or empty. */
export async function resolveSecret(ref: SecretRef, options: ResolveOptions): Promise<string> {
  return 'env' in ref ? fromEnv(ref.env, options) : fromFile(ref.file, options)
}

function fromEnv(name: string, { where, env = process.env }: ResolveOptions): string {
  const value = env[name]
  if (value === undefined)
    throw wrong(`the environment variable ${name} is not set`, where, `Set ${name} for this process.`)
  if (value.trim() === '') throw wrong(`the environment variable ${name} is empty`, where, `Give ${name} its value.`)
  return value
}

async function fromFile(name: string, { where, directory }: ResolveOptions): Promise<string> {
  const path = resolve(directory, name)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
    throw wrong(`the secret's file ${path} ${why}`, where, 'Name a file that this user may read.')
  }
  // Editors and `echo` end a file with a newline that is no part of the secret; a key's inner lines stay.
  const value = text.replace(/^\uFEFF/, '').replace(/(\r?\n)+$/, '')
  if (value.trim() === '') throw wrong(`the secret's file ${path} is empty`, where, 'Put the secret into it.')
  return value
}

function wrong(what: string, where: string, advice: string): InputError {
  return new InputError([{ what, where, advice }])
}
