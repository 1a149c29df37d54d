/** ISO instants (`2026-05-06T11:56:44.123456Z`) in time's order, whatever number of digits or zone they have. */

const ISO = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?)?$/

export function compareInstants(a: string, b: string): number {
  const x = parse(a)
  const y = parse(b)
  return x.ms - y.ms || x.nanos - y.nanos
}

/** Milliseconds from `a` to `b`. */
export function between(a: string, b: string): number {
  return parse(b).ms - parse(a).ms
}

/** Microseconds since the epoch; what is finer is cut off. */
export function microsOf(instant: string): bigint {
  const { ms, nanos } = parse(instant)
  return BigInt(ms) * 1000n + BigInt(Math.floor(nanos / 1000))
}

/** Whole seconds, and the rest apart: a number of milliseconds holds no microseconds. */
function parse(instant: string): { ms: number; nanos: number } {
  const match = ISO.exec(instant)
  const [, date, time = '00:00', fraction = '', zone = 'Z'] = match ?? []
  const ms = Date.parse(`${date}T${time}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone}`)
  if (!match || Number.isNaN(ms)) throw new RangeError(`'${instant}' is no instant`)
  return { ms, nanos: Number(fraction.padEnd(9, '0')) }
}
