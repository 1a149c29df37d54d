/** How an error is shown to a person, and which exit code it has. */
import { ConnectorError, InputError, showProblem } from '../connectors/errors.ts'
import type { ObjectResult } from '../activities/digests.ts'
import { ClientError } from './client-error.ts'
import type { ClientErrorKind } from './client-error.ts'
import type { RunOutcome } from './run-outcome.ts'

const FAILED = 1
const WRONG = 2
const CREDENTIALS = 4
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

export function exitCode(error: unknown): number {
  if (error instanceof InputError) return WRONG
  if (error instanceof ClientError) return codes[error.kind]
  if (error instanceof ConnectorError && (error.kind === 'auth' || error.kind === 'forbidden')) return CREDENTIALS
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
    return [`error: ${error.message}`, ...(error.advice ? [`  ${error.advice}`] : [])]
  }
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
  const refused = failed.length > 0 ? failed.every(isRefused) : outcome.error?.type === 'ConnectionUnauthorized'
  if (refused) return CREDENTIALS
  return outcome.error?.type === 'FlowInvalid' ? WRONG : FAILED
}

function isRefused(object: ObjectResult): boolean {
  return object.error?.type === 'ConnectionUnauthorized'
}
