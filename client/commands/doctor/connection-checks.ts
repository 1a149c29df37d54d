/**
 * One connection: a source is logged in to and asked what it shows, the login of a table or a bus is named, a place of
 * files is proven as a lake, the secret of who sends events is looked for.
 */
import type { Session, Source } from '../../../connectors/connector.ts'
import type { Check, Finding } from '../../../connectors/check.ts'
import { check, failed, warning } from '../../../connectors/check.ts'
import { InputError } from '../../../connectors/errors.ts'
import type { Connection } from '../../../connectors/installation.ts'
import { meant } from '../../../connectors/nearest.ts'
import { resolveSecret } from '../../../connectors/secrets.ts'
import type { SecretRef } from '../../../connectors/secrets.ts'
import { installationPath } from '../../installation-check.ts'
import { counted } from '../../terminal/numbers.ts'
import type { Call } from '../call.ts'
import { clockFinding } from './clocks.ts'

const ANSWER_MS = 60_000

export async function* connectionChecks({ view, options }: Call, name: string): AsyncGenerator<Check> {
  const { openParts } = await import('../../../worker/assemble.ts')
  const parts = await openParts({ installation: installationPath(options.config) })
  const { connections, directory, path } = parts.installation
  if (!connections[name]) {
    const names = Object.keys(connections)
    const what = `it has no connection ${name}${meant(name, names)}`
    throw new InputError([{ where: path, what, advice: `It has: ${names.join(', ') || 'none'}.` }])
  }
  const notes = new Set<string>()
  try {
    const beat = (position: string): void => view.draw?.([position])
    const note = (text: string): void => void notes.add(text)
    const { connector, session } = await parts.connect(name, { signal: AbortSignal.timeout(ANSWER_MS), beat, note })
    if (connector.source?.events) yield await check('secret', () => secretThere(connections[name]!, directory))
    else if (connector.source && !connector.source.files)
      yield* sourceChecks(connector.source, session, () => connector.identity(session))
    for (const text of notes) {
      yield { name: 'limits', state: 'warning', found: text, advice: 'Runs wait when it is used up.' }
    }
    if (connector.destination?.table || (connector.account && !connector.source)) {
      yield await check('login', async () => {
        const account = Object.values((await connector.account?.(session)) ?? {}).join(', ')
        return `as ${account} at ${await connector.identity(session)}`
      })
    }
    if (connector.destination?.lake) {
      const { proveStore } = await import('../../../connectors/lake/prove-store.ts')
      yield* proveStore(await parts.lake(name))
    }
  } finally {
    await parts.close()
  }
}

async function* sourceChecks(source: Source, session: Session, identity: () => Promise<string>): AsyncGenerator<Check> {
  const login = await check('login', async () => `as ${await identity()}`)
  yield login
  if (login.state === 'failed') return
  yield await check('clock', async () => clockFinding(Date.now() - (await session.now())))
  yield await check('objects', () => visible(source, session))
}

/** Nobody can be asked: whoever has it, sends. */
async function secretThere({ name, auth }: Connection, directory: string): Promise<Finding> {
  const secrets = Object.entries(auth ?? {}).filter(([field]) => field !== 'type')
  for (const [field, value] of secrets) {
    const where = `connections.${name}.auth.${field}`
    if (typeof value !== 'string') await resolveSecret(value as SecretRef, { where, directory })
  }
  return secrets.length === 0 ? 'none: it takes signals alone' : `there: ${secrets.map(([field]) => field).join(', ')}`
}

async function visible(source: Source, session: Session): Promise<Finding> {
  let [readable, unreadable] = [0, 0]
  for await (const object of source.objects(session)) {
    if (object.unreadable) unreadable += 1
    else readable += 1
  }
  const advice = `\`lakeward objects ${session.connection}\` lists them; the login's own rights decide what it sees.`
  if (readable === 0) return failed('this login sees no object that it may read', advice)
  const found = `${counted(readable, 'object')} can be read${unreadable > 0 ? `, ${unreadable} cannot` : ''}`
  return readable < 3 && unreadable > readable ? warning(found, advice) : found
}
