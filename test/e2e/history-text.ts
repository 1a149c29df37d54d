/** All text of a history, payloads decoded. */
export function textIn(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (typeof value === 'string') return value
  if (value === null || typeof value !== 'object') return ''
  return Object.entries(value)
    .map(([key, inner]) => `${key} ${textIn(inner)}`)
    .join('\n')
}
