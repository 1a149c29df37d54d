/** What the commit protocol refuses to do, in words a person can act on. */

/**
 * - `LedgerDamaged`: a stored document is missing, unreadable or of an unknown version; nothing is guessed around it.
 * - `CommitConflict`: another run took the number; nothing of this run is visible. A new run key may try again.
 * - `StagedDataLost`: staged files vanished; nothing of this entry counts. A new run key reads them again.
 * - `LaneMoved`: the connection reaches another source or lake than the lane's.
 * - `LakeUnusable`: the store cannot do what the protocol asks of it.
 */
export type LakeErrorType = 'LedgerDamaged' | 'CommitConflict' | 'StagedDataLost' | 'LaneMoved' | 'LakeUnusable'

export interface LakeProblem {
  /** What is wrong, one clause. */
  what: string
  /** The object, directory or lane it was seen at. */
  where: string
  /** What a person, or the lane itself, does about it. */
  advice: string
  cause?: unknown
}

export class LakeError extends Error {
  override readonly name = 'LakeError'
  readonly type: LakeErrorType
  readonly what: string
  readonly where: string
  readonly advice: string

  constructor(type: LakeErrorType, problem: LakeProblem) {
    const { what, where, advice, cause } = problem
    super(`${where}: ${what}. ${advice}`, cause === undefined ? undefined : { cause })
    this.type = type
    this.what = what
    this.where = where
    this.advice = advice
  }
}
