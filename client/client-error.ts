/**
 * What the client could not do, said as: what, where, what to do. A file or an option that cannot be used as written is
 * an `InputError` instead; together they are all the errors that the client throws on purpose.
 */

export type ClientErrorKind =
  | 'missing' // no such flow or run
  | 'paused' // the flow is paused
  | 'busy' // another run holds the lane
  | 'server' // Temporal cannot be reached, or refuses
  | 'credentials' // Temporal or a vendor refuses the login
  | 'codec' // what lies in Temporal cannot be decoded here

export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly kind: ClientErrorKind
  /** Flow, run, server … it is about. */
  readonly where: string
  readonly advice: string | undefined

  constructor(kind: ClientErrorKind, where: string, what: string, advice?: string, cause?: unknown) {
    super(what, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.where = where
    this.advice = advice
  }
}
