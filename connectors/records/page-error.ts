/** A page that is not what its shape promises: cut, malformed, not UTF-8. Never a single record's fault. */
export class PageError extends Error {
  override readonly name = 'PageError'
}
