/** CSV by RFC 4180: what clients upload, and what results are given as. */

/** Records of cells; an empty last line is none. Throws RangeError where a quote is never closed. */
export function* readCsv(text: string, delimiter: string): Generator<string[]> {
  let cells: string[] = []
  let at = 0
  while (at < text.length) {
    let cell = ''
    if (text[at] === '"') {
      for (at++; ; at++) {
        const end = text.indexOf('"', at)
        if (end < 0) throw new RangeError('a quoted cell has no end')
        cell += text.slice(at, end)
        at = end + 1
        if (text[at] !== '"') break
        cell += '"'
      }
    } else {
      const start = at
      while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++
      cell = text.slice(start, at)
    }
    cells.push(cell)
    if (text[at] === delimiter) {
      at++
      if (at < text.length) continue
      cells.push('')
    }
    if (text[at] === '\r') at++
    if (text[at] === '\n') at++
    yield cells
    cells = []
  }
}

/** Every cell in quotes, as results are. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`
}
