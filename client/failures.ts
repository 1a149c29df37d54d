/** How an error is shown to a person, and which exit code it has. */
import type { ErrorKind } from '../connectors/connector.ts'
import { ConnectorError, InputError, isRefused, showProblem } from '../connectors/errors.ts'
import { LakeError } from '../connectors/lake/errors.ts'
import type { ObjectResult } from '../activities/digests.ts'
import { ClientError } from './client-error.ts'
import type { ClientErrorKind } from './client-error.ts'
import type { RunOutcome } from './run-outcome.ts'

export const FAILED = 1
const WRONG = 2
export const CREDENTIALS = 4
const PARTLY = 5
export const INTERRUPTED = 130

const codes: Record<ClientErrorKind, number> = {
  missing: WRONG,
  paused: FAILED,
  busy: FAILED,
  server: FAILED,
  codec: FAILED,
  credentials: CREDENTIALS,
}

/** What to do where the connector has no advice of its own. */
const usual: Partial<Record<ErrorKind, string>> = {
  transient: 'It was tried some times; this often heals by itself. Runs go on trying.',
  throttled: 'The source asks for a pause: try again in a few minutes. Runs wait by themselves.',
  quota: 'The source asks for a pause: try again later. Runs wait by themselves.',
  answer: 'Perhaps something else answers there, such as a proxy or a page for people: is the address right?',
}

export function exitCode(error: unknown): number {
  if (error instanceof InputError) return WRONG
  if (error instanceof ClientError) return codes[error.kind]
  if (error instanceof ConnectorError && isRefused(error)) return CREDENTIALS
  return FAILED
}

/** Lines; the first begins with `error:`. */
export function showError(error: unknown): string[] {
  if (error instanceof InputError) {
    const { problems } = error
    const lines = problems.flatMap((problem) => `error: ${showProblem(problem)}`.split('\n'))
    return problems.length > 1 ? [...lines, `${problems.length} problems`] : lines
  }
  if (error instanceof ClientError) {
    return [`error: ${error.where}: ${error.message}`, ...(error.advice ? [`  ${error.advice}`] : [])]
  }
  if (error instanceof ConnectorError) {
    const advice = error.advice ?? usual[error.kind]
    return [`error: ${error.message}`, ...(advice ? [`  ${advice}`] : [])]
  }
  if (error instanceof LakeError) return [`error: ${error.where}: ${error.what}`, `  ${error.advice}`]
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const system = /^E[A-Z]+$/.test(code)
  const advice = system
    ? 'Check the path, its permissions and the free space.'
    : 'LAKEWARD_DEBUG=1 shows where it happened.'
  return [`error: ${message}`, `  ${advice}`]
}

/** Of a run that was waited for. */
export function outcomeCode(outcome: RunOutcome): number {
  if (outcome.status === 'done') return 0
  if (outcome.status === 'partly') return PARTLY
  const failed = outcome.result?.objects.filter((object) => object.status === 'failed') ?? []
  const errors = failed.length > 0 ? failed.map(({ error }: ObjectResult) => error) : [outcome.error]
  const all = (...types: string[]): boolean => errors.every((error) => types.includes(error?.type ?? ''))
  if (all('ConnectionUnauthorized', 'ConnectionForbidden', 'TokenExpired')) return CREDENTIALS
  return all('FlowInvalid') ? WRONG : FAILED
}
