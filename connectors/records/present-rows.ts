/** Lists of rows, so that a loop over values need not ask of each whether it is there. */
import type { Column } from './batch.ts'

export interface Rows {
  /** The first `count` are the rows. */
  at: Uint32Array
  count: number
  /** They are 0, 1, 2 and so on. */
  dense: boolean
}

let natural = new Uint32Array(0)
let found = new Uint32Array(0)

/** Rows 0 to `count`. */
export function firstRows(count: number): Rows {
  if (natural.length < count) natural = Uint32Array.from({ length: Math.max(2048, count) }, (_, row) => row)
  return { at: natural, count, dense: true }
}

/** Rows that have a value, all or of the chosen. The list is good until the next call. */
export function presentRows({ valid, length }: Column, chosen: Uint32Array | undefined): Rows {
  if (!valid) return chosen ? { at: chosen, count: chosen.length, dense: false } : firstRows(length)
  const most = chosen?.length ?? length
  if (found.length < most + 8) found = new Uint32Array(most * 2 + 8)
  return { at: found, count: chosen ? among(valid, chosen) : scan(valid, length), dense: false }
}

function among(valid: Uint8Array, chosen: Uint32Array): number {
  const at = found
  let count = 0
  for (let i = 0; i < chosen.length; i++) {
    const row = chosen[i]!
    at[count] = row
    count += (valid[row >> 3]! >> (row & 7)) & 1
  }
  return count
}

/** Eight rows at a time: most columns have long runs of either kind. */
function scan(valid: Uint8Array, length: number): number {
  const at = found
  let count = 0
  for (let row = 0; row < length; row += 8) {
    let bits = valid[row >> 3]!
    if (length - row < 8) bits &= (1 << (length - row)) - 1
    if (bits === 0) continue
    if (bits === 0xff) {
      for (let i = 0; i < 8; i++) at[count + i] = row + i
      count += 8
      continue
    }
    for (let i = 0; i < 8; i++) {
      at[count] = row + i
      count += (bits >> i) & 1
    }
  }
  return count
}
