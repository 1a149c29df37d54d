/**
 * Tables for a terminal, as plain text.
 *
 * Law: a cell is data, perhaps a vendor's. Control characters never reach the terminal; what is too wide is cut (`…`).
 */
import { printable } from '../../connectors/printable.ts'

export interface Column {
  title: string
  align?: 'left' | 'right'
  /** Widest a cell may be, in terminal columns. */
  most?: number
}

export function table(columns: Column[], rows: string[][], most = Infinity): string {
  const cells = rows.map((row) => columns.map((column, at) => fit(printable(row[at] ?? ''), column.most ?? Infinity)))
  const widths = columns.map((column, at) =>
    Math.max(width(column.title), ...cells.map((row) => width(row[at] as string))),
  )
  const line = (row: string[]): string => {
    const padded = row.map((cell, at) => pad(cell, widths[at] as number, columns[at]?.align ?? 'left'))
    return fit(padded.join('  ').trimEnd(), most)
  }
  return [line(columns.map((column) => column.title)), ...cells.map(line)].join('\n')
}

/** Two columns without a head: names and what they are. */
export function listing(pairs: [name: string, value: string][]): string {
  const columns = Math.max(0, ...pairs.map(([name]) => width(name)))
  return pairs
    .map(([name, value]) => {
      const [first = '', ...rest] = value.split('\n').map(printable)
      return [
        `${pad(name, columns, 'left')}  ${first}`.trimEnd(),
        ...rest.map((line) => `${' '.repeat(columns)}  ${line}`),
      ].join('\n')
    })
    .join('\n')
}

/** Columns the text takes: two for wide East Asian characters and emoji, none for marks that combine. */
export function width(text: string): number {
  let columns = 0
  for (const character of text) columns += wide(character)
  return columns
}

const none = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const twice = [
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]$/,
  /^[\p{Emoji_Presentation}\u{20000}-\u{3fffd}]$/u,
]

function wide(character: string): number {
  if (character < '\u007f') return 1
  if (none.test(character)) return 0
  return twice.some((set) => set.test(character)) ? 2 : 1
}

export function fit(text: string, most: number): string {
  if (width(text) <= most) return text
  let kept = ''
  let columns = 0
  for (const character of text) {
    columns += wide(character)
    if (columns > most - 1) break
    kept += character
  }
  return `${kept}…`
}

function pad(text: string, columns: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, columns - width(text)))
  return align === 'right' ? space + text : text + space
}
