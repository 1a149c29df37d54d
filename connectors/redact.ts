/**
 * Takes secrets out of text that people and Temporal's history will see. Pure.
 *
 * Law: what is known to be secret goes in every spelling a server may echo it in, and what looks like a credential goes
 * even if it is not known.
 */

const HIDDEN = '***'

const looksSecret: [RegExp, string][] = [
  // Ordinary words may follow these two as well.
  [/\b(bearer|basic)\s+(?=[\w.~+/=!-]*\d|[\w.~+/=!-]{20})[\w.~+/=!-]{6,}/gi, `$1 ${HIDDEN}`],
  [
    /(["']?\b(?:access_token|refresh_token|client_secret|id_token|assertion|password|api_?key|sid)\b["']?\s*[:=]\s*["']?)[^\s"'&,;}]+/gi,
    `$1${HIDDEN}`,
  ],
  // Salesforce session ids: an organization's id, an exclamation mark, the secret.
  [/\b00D[A-Za-z0-9]{9,15}![\w.!-]{8,}/g, HIDDEN],
  // JSON web tokens.
  [/\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*/g, HIDDEN],
]

export function redact(text: string, secrets: Iterable<string>): string {
  let clean = text
  for (const secret of [...spellings(secrets)].sort((a, b) => b.length - a.length)) {
    clean = clean.replaceAll(secret, HIDDEN)
  }
  for (const [pattern, replacement] of looksSecret) clean = clean.replaceAll(pattern, replacement)
  return clean
}

/** Scheme, host and path of a URL; a query may hold tokens and the values of filters. */
export function showUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search ? '?…' : ''}`
}

function spellings(secrets: Iterable<string>): Set<string> {
  const all = new Set<string>()
  for (const secret of secrets) {
    // Shorter ones would tear ordinary words apart; the patterns below still see them.
    if (secret.length < 6) continue
    all.add(secret)
    all.add(encodeURIComponent(secret))
    all.add(new URLSearchParams({ s: secret }).toString().slice(2))
    all.add(JSON.stringify(secret).slice(1, -1))
    all.add(Buffer.from(secret).toString('base64').replace(/=+$/, ''))
  }
  return all
}
