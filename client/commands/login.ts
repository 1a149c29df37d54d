/** login: a person logs in in a browser and the tokens go into the state store; other logins are tried. */
import type { Parts } from '../../worker/assemble.ts'
import { duration } from '../../connectors/flow-values.ts'
import { InputError } from '../../connectors/errors.ts'
import { ClientError } from '../client-error.ts'
import { listen } from '../loopback.ts'
import { askSecretly } from '../terminal/ask.ts'
import { openInBrowser } from '../terminal/browser.ts'
import type { Call, Register } from './call.ts'
import { printJson, withJson } from './call.ts'
import { withConnection } from './local.ts'

interface LoginFlags {
  json?: boolean
  paste?: boolean
  browser: boolean
  timeout: string
}

export function addLoginCommand(register: Register): void {
  register<LoginFlags>({
    usage: 'login <connection>',
    about: 'Log in by hand (type authorization_code), or try the login that is configured; tells who is logged in.',
    examples: ['lakeward login crm', 'lakeward login crm --no-browser', 'lakeward login crm --paste'],
    options: (command) =>
      withJson(command)
        .option('--paste', 'for machines without a browser: log in anywhere, paste the address it ends at')
        .option('--no-browser', 'only print the address of the login page')
        .option('--timeout <duration>', 'how long to wait for the login', '5m'),
    work: login,
  })
}

async function login(call: Call, flags: LoginFlags, connection: string): Promise<number> {
  const waitMs = readTimeout(flags.timeout)
  return withConnection(call, connection, async ({ parts, configured, signal }) => {
    if (configured.auth === null) {
      throw new InputError([{ where: `connection ${connection}`, what: `${configured.connector} needs no login` }])
    }
    const byPerson = configured.auth.type === 'authorization_code'
    if (byPerson) await letIn(call, flags, parts, { connection, waitMs, signal })
    else await tryLogin(parts, connection)
    const use = { signal, beat: () => {}, note: () => {} }
    const { connector, session } = await parts.connect(connection, use)
    const who = (await connector.account?.(session)) ?? { account: await connector.identity(session) }
    if (flags.json) return printJson(call, { connection, ...who })
    call.view.out(`${connection}: logged in`)
    for (const [what, name] of Object.entries(who)) call.view.out(`  ${what}: ${name}`)
    if (byPerson) call.view.say('The login is stored; workers with this state go on with it.')
  })
}

/** A new token, whatever is stored. */
async function tryLogin({ credentials }: Parts, connection: string): Promise<void> {
  const current = await credentials.current(connection)
  await credentials.refresh(connection, current?.version ?? 0, null)
}

interface Waiting {
  connection: string
  waitMs: number
  signal: AbortSignal
}

async function letIn({ view }: Call, flags: LoginFlags, parts: Parts, waiting: Waiting): Promise<void> {
  const { connection, signal } = waiting
  const { url, redirectUri, take } = await parts.credentials.login(connection)
  const shown = [`Log in to ${connection} at this address:`, '', url, '']
  const timer = AbortSignal.timeout(waiting.waitMs)
  const over = AbortSignal.any([signal, timer])
  const ended = (): Error => (signal.aborted ? (signal.reason as Error) : tooLate(waiting, redirectUri, flags))
  if (flags.paste) {
    for (const line of shown) view.say(line)
    view.say(`Then the browser is sent to ${redirectUri}?code=… and may say that it finds nothing there.`)
    view.say('Paste that whole address, or the code in it, and press Enter (it is not shown):')
    const answer = await askSecretly(over)
    if (answer !== null) return void (await take(answer))
    if (over.aborted) throw ended()
    const where = `connection ${connection}`
    throw new ClientError('credentials', where, 'nothing was pasted', 'Run it again, and paste the address.')
  }
  const loopback = await listen(redirectUri, connection, take)
  try {
    for (const line of shown) view.say(line)
    view.say('Waiting for the login. Is the browser on another machine? Use --paste.')
    if (flags.browser) openInBrowser(url)
    await Promise.race([loopback.visited, aborted(over, ended)])
  } finally {
    loopback.close()
  }
}

function aborted(signal: AbortSignal, reason: () => Error): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(reason())
    signal.addEventListener('abort', () => reject(reason()), { once: true })
  })
}

function tooLate({ connection }: Waiting, redirectUri: string, { timeout }: LoginFlags): ClientError {
  return new ClientError(
    'credentials',
    `connection ${connection}`,
    `nobody logged in within ${timeout}`,
    `If the browser showed redirect_uri_mismatch, register the callback URL ${redirectUri} with the app; if ` +
      'invalid_client_id, check clientId and loginUrl. --timeout 15m waits longer.',
  )
}

function readTimeout(text: string): number {
  const read = duration('how long to wait', 1).safeParse(text)
  // Longer than timers can count.
  if (read.success && read.data <= 24 * 3_600_000) return read.data
  throw new InputError([
    { where: '--timeout', what: `${JSON.stringify(text)} is no time to wait`, advice: 'For example 5m, up to 24h.' },
  ])
}
