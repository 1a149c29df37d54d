/**
 * What went wrong, said so that the core can act without knowing the vendor.
 *
 * Law: a message holds no secret and no record. It reads `[connector] doing failed: reason`, and `advice` says what a
 * person can do. Whether an error is worth another attempt is decided by its kind alone (`activities/failure.ts`).
 */
import type { ErrorKind } from './connector.ts'
import { printable } from './printable.ts'

export interface ErrorDetails {
  connector: string
  doing: string
  kind: ErrorKind
  reason: string
  advice?: string
  /** Milliseconds until another attempt makes sense. */
  waitMs?: number
  status?: number
  code?: string
  cause?: unknown
}

export class ConnectorError extends Error {
  override readonly name = 'ConnectorError'
  readonly kind: ErrorKind
  readonly reason: string
  readonly advice: string | undefined
  readonly waitMs: number | undefined
  readonly status: number | undefined
  readonly code: string | undefined

  constructor(details: ErrorDetails) {
    const { connector, doing, reason, cause } = details
    super(`[${connector}] ${doing} failed: ${reason}`, cause === undefined ? undefined : { cause })
    this.kind = details.kind
    this.reason = reason
    this.advice = details.advice
    this.waitMs = details.waitMs
    this.status = details.status
    this.code = details.code
  }
}

/** A login is refused, has ended, or may not do what was asked: only a person can mend that. */
export function isRefused({ kind }: ConnectorError): boolean {
  return kind === 'auth' || kind === 'forbidden' || kind === 'expired'
}

/** The login itself is refused, and no worker asks the vendor again before a person has logged in. */
export class LoginLost extends ConnectorError {}

/** A flow, a connection or a command that cannot be used as written: what, where and what to do. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly problems: Problem[]

  constructor(problems: Problem[]) {
    // Names in it are as somebody wrote them, and terminals obey control characters; the lines of an advice are ours.
    const shown = problems.map(({ what, where, advice }) => ({
      what: printable(what),
      where: printable(where),
      ...(advice !== undefined && { advice: advice.split('\n').map(printable).join('\n') }),
    }))
    super(shown.map(showProblem).join('\n'))
    this.problems = shown
  }
}

export interface Problem {
  /** What is wrong, one sentence. */
  what: string
  /** File, line and path in it, as far as known: `flow.yaml:12 source.objects[0].where`. */
  where: string
  /** What to do. */
  advice?: string
}

export function showProblem(problem: Problem): string {
  const tail = problem.advice ? `\n  ${problem.advice}` : ''
  return `${problem.where}: ${problem.what}${tail}`
}
