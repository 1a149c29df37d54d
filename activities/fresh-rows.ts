/**
 * Rows that no earlier run has read, of a lane that looks back.
 *
 * Law: a record is known by its key, its stamp and whether it is deleted; one that changes has another stamp, and is
 * new. A record that no batch can hold is known by its text.
 */
import type { Field } from '../connectors/connector.ts'
import type { Lookback } from '../connectors/lake/lookback.ts'
import type { RunPlan } from '../connectors/lake/protocol.ts'
import { cellAt, present, textReader } from '../connectors/records/cells.ts'
import { takeRows, unset } from '../connectors/records/columns.ts'
import type { Decoded } from '../connectors/records/decode.ts'

export interface Fresh {
  decoded: Decoded
  /** Rows that are left out. */
  repeated: number
}

export function freshRows({ sourceSchema, lookback: known }: RunPlan, lookback: Lookback | null) {
  if (!known || !lookback) return (decoded: Decoded): Fresh => ({ decoded, repeated: 0 })
  const slot = (name: string): number => sourceSchema.findIndex((field) => field.name === name)
  const keys = known.keys.map((name) => ({
    at: slot(name),
    text: textReader((sourceSchema[slot(name)] as Field).type),
  }))
  const stampAt = slot(known.cursorField)
  return ({ batch, ops, rejects, dropped }: Decoded): Fresh => {
    const stamps = batch.columns[stampAt]!
    const out = new Uint8Array(batch.rows)
    let repeated = 0
    for (let row = 0; row < batch.rows; row++) {
      if (!present(stamps, row)) continue
      const stamp = cellAt(stamps, 'timestamp', row) as bigint
      if (!lookback.concerns(stamp)) continue
      const names = keys.map(({ at, text }) => text(batch.columns[at]!, row))
      if (!lookback.repeats(JSON.stringify([String(stamp), ops?.[row] ?? 0, ...names]), stamp)) continue
      out[row] = 1
      repeated++
    }
    const fresh = rejects.filter((reject) => !lookback.repeats(reject.row))
    const kept = unset(out, batch.rows)
    return {
      decoded: {
        batch: kept ? takeRows(batch, kept) : batch,
        ...(ops ? { ops: kept ? Uint8Array.from(kept, (row) => ops[row]!) : ops } : {}),
        rejects: fresh,
        dropped,
      },
      repeated: repeated + rejects.length - fresh.length,
    }
  }
}
