/**
 * Records that are not written to the data, kept as JSON lines: the record, the rule it broke and why.
 *
 * Laws
 * - A record that the flow refused stands as the source gave it, before any mask or hash: who may not see the source's
 *   values may not see quarantine files either. They lie outside the data prefix.
 * - A record that the destination refused stands as it was sent.
 */

export interface Reject {
  /** JSON text of the record, in one line: with the source's fields, or as it was sent. */
  row: string
  /** Empty: the record as a whole is to blame. */
  field: string
  /**
   * Of the flow: `type`, `op`, the kind of the step (`cast`, `arithmetic`) or the validation's rule. Of the
   * destination: `refused`, or `unknown` where it may have been written all the same.
   */
  rule: string
  /** The flow's: a sentence without the value. The destination's: its own words. */
  reason: string
  /** The source says that the record is deleted. */
  deleted?: boolean
}

export interface QuarantineContext {
  flow: string
  object: string
  run: string
  /** How often the record was refused, this time with it. */
  attempt: number
  by: 'flow' | 'destination'
}

export interface QuarantinedLine extends Pick<QuarantineContext, 'attempt' | 'by'> {
  rule: string
  deleted: boolean
  /** JSON text, as it was put there. */
  record: string
}

const RECORD = ',"record":'

/** @throws SyntaxError for a line that is none of ours */
export function quarantinedLine(line: string): QuarantinedLine {
  // No text of JSON has a bare quote, and nothing before the record is nested.
  const at = line.indexOf(RECORD)
  const about = JSON.parse(`${line.slice(0, Math.max(at, 0))}}`) as Partial<QuarantinedLine>
  const { attempt = 1, by = 'flow', rule = '', deleted = false } = about
  return { attempt, by, rule, deleted, record: line.slice(at + RECORD.length, line.lastIndexOf('}')) }
}

/** One line, line end included. */
export function quarantineLine(reject: Reject, context: QuarantineContext): string {
  const { flow, object, run, attempt, by } = context
  const { field, rule, reason } = reject
  const about = JSON.stringify({ flow, object, run, attempt, by, field, rule, reason })
  const op = reject.deleted ? ',"deleted":true' : ''
  return `${about.slice(0, -1)}${op},"record":${reject.row}}\n`
}
