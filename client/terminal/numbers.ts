/** Numbers, sizes, spans and times as people read them. */

export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 row`, `18,200 rows`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

export function bytes(value: number): string {
  let left = value
  let at = 0
  while (left >= 999.95 && at < units.length - 1) {
    left /= 1000
    at++
  }
  return `${at === 0 ? left : left.toFixed(1)} ${units[at]}`
}

/** `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`, `5 d 2 h`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}

/** `2026-05-06 11:56:44 UTC` */
export function time(at: Date | string): string {
  const date = typeof at === 'string' ? new Date(at) : at
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** `3 min ago`, `in 2 h 5 min`. */
export function when(at: Date, now: Date = new Date()): string {
  const ms = at.getTime() - now.getTime()
  const span = duration(Math.round(Math.abs(ms) / 1000) * 1000)
  if (Math.abs(ms) < 1000) return 'now'
  return ms < 0 ? `${span} ago` : `in ${span}`
}
