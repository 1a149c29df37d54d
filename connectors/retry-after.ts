/**
 * How long a server asks us to wait. Pure.
 *
 * Law: a date is compared with the server's own `Date` header; our clock may be wrong by minutes.
 */

/** Longer waits are not believed: a quota that is given back later is asked for once a day. */
const MOST_MS = 24 * 60 * 60_000

/**
 * Milliseconds to wait from a `Retry-After` header (seconds or an HTTP date); undefined where there is none that can be
 * read. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(headers: Record<string, string>): number | undefined {
  const text = headers['retry-after']?.trim()
  if (!text) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), MOST_MS)
  // Without a letter `Date.parse` would take numbers such as "-5" for a year.
  const until = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN
  const now = Date.parse(headers.date ?? '')
  if (Number.isNaN(until) || Number.isNaN(now)) return undefined
  return Math.min(Math.max(until - now, 0), MOST_MS)
}
