/** The result files of a job, brought back to the rows of its file. Pure. */
import type { Outcome, RecordWrite } from '../../record-sink.ts'
import { csvRecords } from './cells.ts'
import { made, refused, saveError } from './outcome.ts'

export interface Results {
  write: RecordWrite
  /** The column of the key; -1: records are told apart by all their cells. */
  key: number
  /** The file's rows, in its order. */
  cells: string[][]
  successful: string
  failed: string
  unprocessed: string
  /** The job was aborted: what is in no result was not written. */
  aborted: boolean
}

const UNKNOWN = 'the job has ended, and none of its results says what became of the record'
const untouched: Outcome = { ok: false, reason: 'the job ended before it came to the record', again: true }

export function matchResults({ write, key, cells, successful, failed, unprocessed, aborted }: Results): Outcome[] {
  const told = new Map<string, Outcome[]>()
  const nameOf = (row: string[]): string => (key < 0 ? fingerprint(row) : (row[key] ?? ''))
  const tell = (row: string[], outcome: Outcome): void => {
    const name = nameOf(row)
    const same = told.get(name)
    if (same) same.push(outcome)
    else told.set(name, [outcome])
  }
  // Two columns of its own come first: the record's id, and whether it was made or why it was not.
  for (const [id = '', created, ...row] of body(successful)) tell(row, made(write, id, created === 'true'))
  for (const [id = '', error = '', ...row] of body(failed)) tell(row, refused([saveError(error)], write, id))
  for (const row of body(unprocessed)) tell(row, untouched)
  const again = write !== 'append'
  const rest: Outcome = aborted ? untouched : { ok: false, reason: UNKNOWN, again, ...(again ? {} : { unknown: true }) }
  return cells.map((row) => told.get(nameOf(row))?.shift() ?? rest)
}

function* body(text: string): Generator<string[]> {
  let header = true
  for (const cells of csvRecords(text)) {
    if (!header) yield cells
    header = false
  }
}

/** Line ends inside a text may come back in another form. */
function fingerprint(cells: string[]): string {
  return JSON.stringify(cells.map((cell) => cell.replaceAll(/\r\n?/g, '\n')))
}
