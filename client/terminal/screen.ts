/**
 * Where output goes: data to stdout, everything said beside it to stderr.
 *
 * Law: only a terminal is drawn on. Elsewhere there are lines, and no escape sequences; `NO_COLOR` is respected.
 */
import { fit } from './table.ts'

export interface Screen {
  /** Data: what another program may read. */
  out(text: string): void
  /** A line for people. */
  say(text: string): void
  /** Replaces what the last call drew; null where nothing can be drawn. */
  draw: ((lines: string[]) => void) | null
  columns: number
  color(text: string, color: keyof typeof colors): string
}

const colors = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const

export interface Streams {
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  env: NodeJS.ProcessEnv
}

export function screen({ stdout, stderr, env }: Streams = process): Screen {
  const terminal = stderr.isTTY && env['TERM'] !== 'dumb'
  const colored = terminal && !env['NO_COLOR'] && env['FORCE_COLOR'] !== '0'
  let drawn = 0
  const clear = (): string => (drawn > 0 ? `\x1b[${drawn}A\x1b[0J` : '')
  const columns = (): number => stderr.columns || 80
  return {
    out: (text) => {
      if (drawn > 0) stderr.write(clear())
      drawn = 0
      stdout.write(`${text}\n`)
    },
    say: (text) => {
      stderr.write(`${clear()}${text}\n`)
      drawn = 0
    },
    draw: terminal
      ? (lines) => {
          // More lines than the screen has would scroll, and the way back up would miss them.
          const most = Math.max(1, (stderr.rows || 24) - 1)
          const shown = lines.length > most ? [...lines.slice(0, most - 1), '…'] : lines
          const text = shown.map((line) => `${fit(line, columns() - 1)}\n`).join('')
          stderr.write(clear() + text)
          drawn = shown.length
        }
      : null,
    get columns() {
      return stdout.isTTY ? stdout.columns || 80 : Infinity
    },
    color: (text, color) => (colored ? `\x1b[${colors[color]}m${text}\x1b[0m` : text),
  }
}
