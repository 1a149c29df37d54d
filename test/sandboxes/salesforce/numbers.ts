/**
 * Numbers as text, exactly. Salesforce writes doubles as Java does (`5000.0`, `1.0E7`): large amounts come in
 * scientific notation. https://help.salesforce.com/s/articleView?id=000385889&type=1
 */

/** A decimal's plain text as it stands in a JSON answer; what a double cannot hold stays plain. */
export function jsonNumber(text: string): string {
  if (text.length > 16 && significant(text) > 15) return text
  const negative = text.charCodeAt(0) === 45
  const size = negative ? text.slice(1) : text
  const point = size.indexOf('.')
  const whole = point < 0 ? size.length : point
  if (whole > 7) return (negative ? '-' : '') + scientific(size, whole)
  if (size.startsWith('0.000')) return (negative ? '-' : '') + tiny(size)
  return point < 0 ? `${text}.0` : text
}

function scientific(size: string, whole: number): string {
  const digits = size.slice(1, whole) + size.slice(whole + 1)
  let end = digits.length
  while (end > 1 && digits.charCodeAt(end - 1) === 48) end--
  return `${size[0]}.${digits.slice(0, end)}E${whole - 1}`
}

function tiny(size: string): string {
  const first = /[1-9]/.exec(size)?.index ?? 0
  return `${size[first]}.${size.slice(first + 1) || '0'}E-${first - 1}`
}

/** The same number with exactly `scale` digits after the point. */
export function atScale(text: string, scale: number): string {
  const [whole = '', part = ''] = text.split('.')
  return scale === 0 ? whole : `${whole}.${part.padEnd(scale, '0')}`
}

/** Negative, zero or positive, beyond a double's precision too. */
export function compareNumbers(a: string, b: string): number {
  const rough = Number(a) - Number(b)
  if (rough !== 0 || (significant(a) <= 15 && significant(b) <= 15)) return rough
  const scale = Math.max(fraction(a), fraction(b))
  const exact = unscaled(a, scale) - unscaled(b, scale)
  return exact < 0n ? -1 : exact > 0n ? 1 : 0
}

/** Any JSON or SOQL number as plain decimal text: `1.0E7` is `10000000`. */
export function plainNumber(text: string): string {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (!match) throw new TypeError(`not a number: ${text}`)
  const [, sign = '', whole = '', part = '', power = '0'] = match
  const point = whole.length + Number(power)
  const digits = (whole + part).padEnd(point, '0').padStart(whole.length + part.length - Math.min(0, point), '0')
  const at = Math.max(0, point)
  const left = digits.slice(0, at).replace(/^0+(?=\d)/, '') || '0'
  const right = digits.slice(at).replace(/0+$/, '')
  const plain = right ? `${left}.${right}` : left
  return sign === '-' && plain !== '0' ? `-${plain}` : plain
}

function significant(text: string): number {
  let digits = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 48 && code <= 57 && (digits > 0 || code !== 48)) digits++
  }
  return digits
}

function fraction(text: string): number {
  const point = text.indexOf('.')
  return point < 0 ? 0 : text.length - point - 1
}

function unscaled(text: string, scale: number): bigint {
  return BigInt(text.replace('.', '') + '0'.repeat(scale - fraction(text)))
}
