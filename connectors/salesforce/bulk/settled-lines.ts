/**
 * Leaves out of a result page what was changed while the job ran. Pure.
 *
 * A page is only searched for stamps on the days that such a change can have; records are told apart where one of
 * them, in any column, has reached the bound.
 */
import { CsvCutter } from '../../records/csv-records.ts'
import type { ReadRequest } from '../plan.ts'

export interface Settled {
  lines: Uint8Array
  /** Records that were left out. */
  left: number
}

const DAY_MS = 86_400_000
/** A change is stamped when it begins, and may be seen long after. */
const EARLY_MS = 3_600_000
/** `2026-05-06T11:56:44.000Z` */
const STAMP = 24
const COMMA = 0x2c
const QUOTE = 0x22

/** `now` is the source's clock, epoch milliseconds. */
export function settledLines(
  lines: Uint8Array,
  columns: string[],
  { bound, cursorField, planned }: Pick<ReadRequest, 'bound' | 'cursorField' | 'planned'>,
  now: number,
): Settled {
  const column = cursorField === null ? -1 : columns.indexOf(cursorField)
  if (bound === null || planned === null || column < 0) return { lines, left: 0 }
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength)
  if (!mayReach(bytes, bound, Math.max(Date.parse(bound), Date.parse(planned) - EARLY_MS), now + DAY_MS))
    return { lines, left: 0 }
  const kept: Uint8Array[] = []
  let left = 0
  const cutter = new CsvCutter({ delimiter: ',' })
  for (let at = 0; at < bytes.length;) {
    const end = cutter.push(bytes.subarray(at), true) || bytes.length - at
    const record = bytes.subarray(at, at + end)
    // Both are UTC in the same form, so that their texts are in the order of time.
    if (cell(record, column) >= bound) left++
    else kept.push(record)
    at += end
  }
  return left === 0 ? { lines, left } : { lines: Buffer.concat(kept), left }
}

/** Whether any text of the page looks like an instant from the bound on, on one of the days between the two. */
function mayReach(bytes: Buffer, bound: string, since: number, until: number): boolean {
  for (let day = Math.floor(since / DAY_MS); day * DAY_MS <= until; day++) {
    const date = new Date(day * DAY_MS).toISOString().slice(0, 11)
    for (let at = bytes.indexOf(date); at >= 0; at = bytes.indexOf(date, at + date.length)) {
      if (bytes.toString('latin1', at, at + STAMP) >= bound) return true
    }
  }
  return false
}

/** Text of a column that holds no quotes. */
function cell(record: Buffer, column: number): string {
  let at = 0
  for (let skipped = 0; skipped < column; skipped++) {
    if (record[at] === QUOTE) {
      do at = record.indexOf(QUOTE, at + 1) + 1
      while (record[at] === QUOTE)
    }
    at = record.indexOf(COMMA, at) + 1
  }
  if (record[at] === QUOTE) at++
  return record.toString('latin1', at, at + STAMP)
}
