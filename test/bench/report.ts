/** Figures as tables of Markdown, which a terminal shows as well. */
import type { ContestantName, Result } from './contestants.ts'
import { contestants } from './contestants.ts'

export interface Target {
  what: string
  /** Speed of the first over that of the second, inside a round. */
  of: ContestantName
  to: ContestantName
  least: number | null
  aim: number | null
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function table(head: string[], rows: string[][]): string {
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]!.length)))
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join(' | ')} |`
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}

const grouped = (value: number): string => Math.round(value).toLocaleString('en')
const perRow = (seconds: number, rows: number): string => ((seconds / rows) * 1e6).toFixed(2)
const megabytes = (bytes: number): string => String(Math.round(bytes / 1e6))

/** One line per contestant; every output that is in it was right. */
export function speeds(results: Result[]): string {
  const rows = namesIn(results).map((name) => {
    const own = results.filter((result) => result.contestant === name)
    const of = (value: (result: Result) => number): number => median(own.map(value))
    const count = own[0]!.rows
    const vendor = of(({ around }) => around.vendor)
    const s3 = of(({ around }) => around.s3)
    return [
      contestants[name],
      grouped(of(({ seconds }) => count / seconds)),
      perRow(
        of(({ cpuSeconds }) => cpuSeconds),
        count,
      ),
      vendor > 0 ? perRow(vendor, count) : '-',
      s3 > 0.02 ? perRow(s3, count) : '-',
      megabytes(of(({ peakBytes }) => peakBytes)),
      (of(({ bytesOut }) => bytesOut) / 1e6).toFixed(1),
      String(own.length),
    ]
  })
  return table(
    ['contestant', 'rows/s', 'CPU µs/row', 'vendor µs', 'S3 µs', 'peak MB', 'MB out', 'rounds, all right'],
    rows,
  )
}

export interface Ratio extends Target {
  median: number | null
  low: number
  high: number
  rounds: number
}

export function ratioOf(results: Result[], target: Target): Ratio {
  const ratios = results
    .filter(({ contestant }) => contestant === target.of)
    .flatMap((one) => {
      const other = results.find(({ contestant, round }) => contestant === target.to && round === one.round)
      return other ? [other.seconds / one.seconds] : []
    })
  if (ratios.length === 0) return { ...target, median: null, low: 0, high: 0, rounds: 0 }
  return {
    ...target,
    median: median(ratios),
    low: Math.min(...ratios),
    high: Math.max(...ratios),
    rounds: ratios.length,
  }
}

export function ratioTable(ratios: Ratio[]): string {
  const rows = ratios.map(({ what, median: middle, low, high, rounds, least, aim }) => {
    const verdict = middle === null ? 'not measured' : least === null ? '' : middle >= least ? 'met' : 'NOT MET'
    return [
      what,
      middle === null ? '-' : middle.toFixed(2),
      middle === null ? '-' : `${low.toFixed(2)}-${high.toFixed(2)}`,
      String(rounds),
      least === null ? '-' : String(least),
      aim === null ? '-' : String(aim),
      verdict,
    ]
  })
  return table(['ratio of rows/s, inside a round', 'median', 'range', 'rounds', 'least', 'aim', ''], rows)
}

function namesIn(results: Result[]): ContestantName[] {
  const found = new Set(results.map(({ contestant }) => contestant))
  return (Object.keys(contestants) as ContestantName[]).filter((name) => found.has(name))
}
