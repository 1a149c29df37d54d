/** One text for one value, however a system writes it: `1.0E7` and `10000000.00`, `…44.000+0000` and `…44Z`. */
import type { FieldType } from '../../connectors/connector.ts'

export function canonical(type: FieldType, text: string): string {
  if (type === 'timestamp') return instant(text)
  if (type === 'time') return text.replace(/Z$/, '').replace(/\.?0+$/, (zeros) => (zeros.startsWith('.') ? '' : zeros))
  if (type === 'json') return JSON.stringify(sorted(JSON.parse(text)))
  if (type === 'float64') return String(Number(text))
  return type.startsWith('decimal') || type.startsWith('int') ? plain(text) : text
}

function instant(text: string): string {
  const [, second = '', fraction = ''] = /^(.{19})(?:\.(\d+))?(?:Z|\+00:?00)$/.exec(text) ?? []
  if (!second) throw new Error(`${text} is no instant in UTC`)
  const digits = fraction.replace(/0+$/, '')
  return `${second}${digits ? `.${digits}` : ''}Z`
}

function plain(text: string): string {
  const [, sign = '', whole = '', part = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  if (whole === '') throw new Error(`${text} is no number`)
  const shift = Number(power)
  const digits =
    shift < 0 ? '0'.repeat(-shift) + whole + part : whole + part + '0'.repeat(Math.max(0, shift - part.length))
  const point = shift < 0 ? whole.length : whole.length + shift
  const left = digits.slice(0, point).replace(/^0+(?=\d)/, '')
  const right = digits.slice(point).replace(/0+$/, '')
  const number = right ? `${left}.${right}` : left
  return number === '0' ? '0' : sign + number
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  )
}
