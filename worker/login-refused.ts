/** A login that brings no token; whoever keeps the credentials says so in the connector's name. */
import type { Meaning } from '../connectors/classify.ts'

export class LoginRefused extends Error {
  override readonly name = 'LoginRefused'
  readonly meaning: Meaning & { status?: number }
  /** The request may have reached the vendor, but its answer did not reach us. */
  readonly answerLost: boolean
  /** The login itself is refused for good: a person must log in. */
  readonly gone: boolean

  constructor(meaning: Meaning & { status?: number }, more: { answerLost?: boolean; gone?: boolean } = {}) {
    super(meaning.reason)
    this.meaning = meaning
    this.answerLost = more.answerLost ?? false
    this.gone = more.gone ?? false
  }
}

/** A person must act. */
export function refused(reason: string, advice?: string): LoginRefused {
  return new LoginRefused({ kind: 'auth', reason, ...(advice ? { advice } : {}) })
}
