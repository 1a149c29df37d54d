/** A payload cannot be sealed or opened here. The message has no payload and no key, only the key's id. */
export class CodecError extends Error {
  override readonly name = 'CodecError'
  readonly advice: string

  constructor(what: string, advice: string, cause?: unknown) {
    super(what, cause === undefined ? undefined : { cause })
    this.advice = advice
  }
}
