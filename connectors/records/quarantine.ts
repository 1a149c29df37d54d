/**
 * Records that are not written to the data, kept as JSON lines: the record, the rule it broke and why.
 *
 * Law: a quarantined record stands as the source gave it, before any mask or hash: who may not see the source's values
 * may not see quarantine files either. They lie outside the data prefix.
 */

export interface Reject {
  /** JSON text of the record with the source's fields, in one line. */
  row: string
  field: string
  /** `type`, `op`, the kind of the step (`cast`, `arithmetic`) or the validation's rule. */
  rule: string
  /** A sentence without the value. */
  reason: string
  /** The source says that the record is deleted. */
  deleted?: boolean
}

export interface QuarantineContext {
  flow: string
  object: string
  run: string
}

/** One line, line end included. */
export function quarantineLine(reject: Reject, context: QuarantineContext): string {
  const { flow, object, run } = context
  const { field, rule, reason } = reject
  const about = JSON.stringify({ flow, object, run, field, rule, reason })
  const op = reject.deleted ? ',"deleted":true' : ''
  return `${about.slice(0, -1)}${op},"record":${reject.row}}\n`
}
