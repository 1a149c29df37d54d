/**
 * The sandbox as a process of its own: `tsx test/sandboxes/salesforce/main.ts --port 0 --accounts 5000`. Prints one
 * line of JSON, `{"url":…,"pid":…}`, and runs until it is told to end.
 */
import { parseArgs } from 'node:util'
import { startSalesforce } from './salesforce.ts'

const NUMBERS = [
  'port',
  'seed',
  'accounts',
  'opportunities',
  'contacts',
  'ties',
  'tokenLifetimeMs',
  'maxRequests',
  'pageRows',
  'pageMs',
] as const
const TEXTS = ['orgId', 'clientId', 'clientSecret', 'refreshToken'] as const
const FLAGS = ['rotate', 'separateInstance', 'locatorsPerSession'] as const

const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
const { values } = parseArgs({
  options: Object.fromEntries([
    ...[...NUMBERS, ...TEXTS].map((name) => [dashed(name), { type: 'string' as const }]),
    ...FLAGS.map((name) => [dashed(name), { type: 'boolean' as const }]),
  ]),
})
const given = values as Record<string, string | boolean | undefined>
const options: Record<string, unknown> = {}
for (const name of [...NUMBERS, ...TEXTS, ...FLAGS]) {
  const value = given[dashed(name)]
  if (value !== undefined) options[name] = (NUMBERS as readonly string[]).includes(name) ? Number(value) : value
}
// The secret may come by the environment, so that it stands in no process list.
options['clientSecret'] ??= process.env['SANDBOX_CLIENT_SECRET']
options['refreshToken'] ??= process.env['SANDBOX_REFRESH_TOKEN']

const sandbox = await startSalesforce(options)
process.stdout.write(`${JSON.stringify({ url: sandbox.url, pid: process.pid })}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void sandbox.stop().then(() => process.exit(0))
  })
}
