/** Pages of CSV, by seed: as Bulk APIs write them, and as people do; and a reader of CSV that is slow and plain. */
import type { CsvShape } from '../../../connectors/connector.ts'
import { text } from './chance.ts'
import type { Chance } from './chance.ts'

export interface CsvPage {
  body: string
  shape: CsvShape
  columns: string[]
}

export function csvPage(chance: Chance): CsvPage {
  const delimiter = chance.pick([',', ',', ',', ';', '\t', '|'])
  const quote = chance.pick(['"', '"', '"', "'"])
  const nullText = chance.pick(['', '', null, 'null', 'N/A'])
  const end = chance.pick(['\n', '\n', '\r\n'])
  const always = chance.once(2)
  const columns = ['Id', 'n', 'CreatedDate', 'c d', 'e'].slice(0, 1 + chance.int(5))
  const field = (value: string): string =>
    always || needsQuotes(value, delimiter, quote) || chance.once(9)
      ? quote + value.replaceAll(quote, quote + quote) + quote
      : value
  const fields = (): string[] => columns.map(() => (chance.once(6) ? (nullText ?? '') : field(text(chance))))
  const lines = [columns.join(delimiter)]
  const wild = chance.pick([0, 0, 5])
  for (let left = chance.int(12); left > 0; left--) {
    const record = fields()
    if (wild && chance.once(wild))
      record.splice(chance.int(record.length), chance.int(2), ...(chance.once(2) ? ['x'] : []))
    lines.push(record.join(delimiter))
    if (wild && chance.once(wild)) lines.push('')
  }
  const body = lines.join(end) + (chance.once(3) ? '' : end)
  const rest = { ...(quote !== '"' && { quote }), ...(chance.once(3) && { noEmpty: true as const }) }
  const shape = { format: 'csv', delimiter, header: true, nullText, ...rest } as const
  return { body, shape, columns }
}

function needsQuotes(value: string, delimiter: string, quote: string): boolean {
  return value.startsWith(quote) || value.endsWith('\r') || value.includes(delimiter) || value.includes('\n')
}

/** Fields of each line; null: a line with text behind a closing quote. `open`: the text ends inside quotes. */
export function readCsv(csv: string, delimiter: string, quote: string): { lines: (Read[] | null)[]; open: boolean } {
  const lines: (Read[] | null)[] = []
  let rest = csv
  while (rest !== '') {
    const line: Read[] = []
    let wrong = false
    for (let more = true; more;) {
      let value = ''
      const isQuoted = rest.startsWith(quote)
      if (isQuoted) {
        const inside = insideOf(rest, quote)
        if (inside === null) return { lines, open: true }
        value = inside.replaceAll(quote + quote, quote)
        rest = rest.slice(inside.length + 2)
      }
      const stop = rest.split('').findIndex((letter) => letter === delimiter || letter === '\n')
      let behind = stop < 0 ? rest : rest.slice(0, stop)
      more = stop >= 0 && rest[stop] === delimiter
      rest = stop < 0 ? '' : rest.slice(stop + 1)
      if (!more && behind.endsWith('\r')) behind = behind.slice(0, -1)
      if (isQuoted && behind !== '') wrong = true
      line.push({ value: value + behind, isQuoted })
    }
    lines.push(wrong ? null : line)
  }
  return { lines, open: false }
}

export interface Read {
  value: string
  isQuoted: boolean
}

/** Up to the quote that closes; null: none does. */
function insideOf(from: string, quote: string): string | null {
  for (let at = 1; at < from.length; at++) {
    if (from[at] !== quote) continue
    if (from[at + 1] !== quote) return from.slice(1, at)
    at++
  }
  return null
}
