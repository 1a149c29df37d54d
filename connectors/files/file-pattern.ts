/**
 * Patterns of keys: `orders/*.csv`, `sales/**.parquet`. Pure.
 *
 * Laws
 * - `*` stands for any letters of one folder's or file's name, `**` also for folders between.
 * - What a wildcard stands for never begins with `.` or `_`, in no part of the key: by custom such names are of files
 *   that are not finished, and of ledgers. Written out they are taken.
 */

export interface FilePattern {
  /** What every key of it begins with. */
  prefix: string
  takes: (key: string) => boolean
}

export function filePattern(pattern: string): FilePattern {
  const star = pattern.indexOf('*')
  const prefix = star < 0 ? pattern : pattern.slice(0, star)
  const parts = pattern.split(/(\*\*\/|\*\*|\*)/)
  let before = ''
  const expression = parts.map((part) => {
    // A wildcard at the beginning of a name must not stand for . or _ there.
    const visible = before === '' || before.endsWith('/') ? '(?![._])' : ''
    before = part === '' ? before : part
    if (part === '*') return `${visible}[^/]*`
    if (part === '**') return `${visible}(?:[^/]|/(?![._]))*`
    if (part === '**/') return `(?:${visible}[^/]+/)*`
    return part.replaceAll(/[.+?^$()|[\]{}\\]/g, String.raw`\$&`)
  })
  const whole = new RegExp(`^${expression.join('')}$`, 's')
  return { prefix, takes: (key) => whole.test(key) }
}
