/** doctor: what this installation, or one connection, needs in order to work, tried for real. */
import type { Check } from '../../../connectors/check.ts'
import { CREDENTIALS, FAILED } from '../../failures.ts'
import { counted } from '../../terminal/numbers.ts'
import { table } from '../../terminal/table.ts'
import type { Call, Register } from '../call.ts'
import { printJson, withJson } from '../call.ts'

interface DoctorFlags {
  json?: boolean
}

export function addDoctorCommand(register: Register): void {
  register<DoctorFlags>({
    usage: 'doctor [connection]',
    about:
      'Check the installation, or one connection: a source is logged in to; a lake is proven, by probes below ' +
      '_lakeward/_doctor/ that are removed after.',
    examples: ['lakeward doctor', 'lakeward doctor crm', 'lakeward doctor lake --json'],
    options: withJson,
    work: doctor,
  })
}

async function doctor(call: Call, { json }: DoctorFlags, connection?: string): Promise<number> {
  const checks: Check[] = []
  const { view } = call
  for await (const check of connection === undefined ? all(call) : one(call, connection)) {
    checks.push(check)
    view.draw?.([`${check.name}: ${check.state}`])
  }
  if (json) printJson(call, checks)
  else {
    const rows = checks.map(({ name, state, found }) => [marks[state], name, found])
    view.out(table([{ title: '' }, { title: 'CHECK' }, { title: 'FOUND' }], rows, view.columns))
    for (const { name, state, found, advice } of checks) {
      if (state === 'ok' || state === 'skipped') continue
      view.say(view.color(`${name}: ${found}`, state === 'failed' ? 'red' : 'yellow'))
      if (advice) view.say(`  ${advice}`)
    }
    view.say(summary(checks))
  }
  const bad = checks.filter(({ state }) => state === 'failed')
  if (bad.length === 0) return 0
  return bad.every(({ credentials }) => credentials) ? CREDENTIALS : FAILED
}

const marks: Record<Check['state'], string> = { ok: 'ok', warning: 'warning', failed: 'FAILED', skipped: 'skipped' }

async function* all(call: Call): AsyncGenerator<Check> {
  const { installationChecks } = await import('./installation-checks.ts')
  const { temporalChecks } = await import('./temporal-checks.ts')
  const queues = new Set<string>()
  yield* installationChecks(call.options, queues)
  yield* temporalChecks(call.options, queues)
}

async function* one(call: Call, connection: string): AsyncGenerator<Check> {
  const { connectionChecks } = await import('./connection-checks.ts')
  yield* connectionChecks(call, connection)
}

function summary(checks: Check[]): string {
  const of = (state: Check['state']): number => checks.filter((check) => check.state === state).length
  const parts = [counted(checks.length, 'check')]
  if (of('failed') > 0) parts.push(`${of('failed')} failed`)
  if (of('warning') > 0) parts.push(counted(of('warning'), 'warning'))
  if (of('skipped') > 0) parts.push(`${of('skipped')} skipped`)
  return `${parts.join(', ')}${parts.length === 1 ? ': all is well' : ''}`
}
