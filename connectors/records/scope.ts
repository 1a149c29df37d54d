/**
 * What a flow's transforms are compiled to: every step reads some columns and adds new ones, none is changed.
 *
 * A scope is the compile-time side: which names there are after each step and in which slot their column will be. A
 * frame is the run-time side: the slots of one batch. `keep`, `drop` and `rename` exist in the scope only and cost
 * nothing later.
 */
import type { KeyObject } from 'node:crypto'
import type { Field, FieldType } from '../connector.ts'
import { InputError } from '../errors.ts'
import type { OnInvalid } from '../flow-steps.ts'
import { meant } from '../nearest.ts'
import type { Column } from './batch.ts'
import { present } from './cells.ts'
import type { ColumnBuilder, Refusal } from './column-builder.ts'
import { columnBuilder } from './column-builders.ts'

export interface Frame {
  rows: number
  slots: Column[]
  ops: Uint8Array | undefined
  /** Rows that are given up: 1. */
  out: Uint8Array
  refuse(row: number, field: string, rule: string, reason: string, how?: OnInvalid): void
}
export type Work = (frame: Frame) => void

export interface Named {
  field: Field
  slot: number
}

export class Scope {
  /** Names as of this step, in output order. */
  columns = new Map<string, Named>()
  readonly works: Work[] = []
  /** Where the step at hand stands in the flow. */
  at: string
  /** Absent while a flow is only checked. */
  readonly key: ((name: string) => KeyObject) | undefined
  /** Slots each slot is made of. */
  readonly #parts: number[][] = []
  /** Slots that are needed whatever becomes of them. */
  readonly #judged = new Set<number>()

  constructor(input: Field[], at: string, key?: (name: string) => KeyObject) {
    this.at = at
    this.key = key
    for (const { name, type, nullable, label } of input) {
      const field: Field = label === undefined ? { name, type, nullable } : { name, type, nullable, label }
      this.columns.set(name, { field, slot: this.#slot([]) })
    }
  }

  get fields(): Field[] {
    return [...this.columns.values()].map(({ field }) => field)
  }

  find(name: string, at = this.at): Named {
    const found = this.columns.get(name)
    if (found) return found
    throw this.wrong(
      `there is no field '${name}' at this step${meant(name, this.columns.keys())}`,
      'Steps see the names that the steps before them leave.',
      at,
    )
  }

  wrong(what: string, advice: string, where = this.at): InputError {
    return new InputError([{ what, where, advice }])
  }

  /** A column under a name: in the place of the one that has it, or last. */
  put(field: Field, parts: number[]): number {
    const slot = this.#slot(parts)
    this.columns.set(field.name, { field, slot })
    return slot
  }

  /** Rows are judged by this column, even if it is left out later. */
  judge(slot: number): void {
    this.#judged.add(slot)
  }

  /**
   * A column made row by row from others. `make` is asked for rows that are not given up; not setting the row: null.
   */
  produce(field: Field, parts: number[], rule: string, make: Make, rounding = false): void {
    const slot = this.put(field, parts)
    this.works.push((frame) => {
      const builder = columnBuilder(field, rounding)
      for (let row = 0; row < frame.rows; row++) {
        if (frame.out[row]) continue
        const refusal = make(frame.slots, row, builder)
        if (refusal !== null) frame.refuse(row, field.name, rule, refusal)
      }
      frame.slots[slot] = builder.finish(frame.rows)
    })
  }

  /** Like `produce`, from one column whose nulls stay null. */
  map(from: Named, type: FieldType, rule: string, make: MapMake, rounding = false): void {
    const { slot } = from
    const column = (slots: Column[]): Column => slots[slot]!
    this.produce(
      { ...from.field, type },
      [slot],
      rule,
      (slots, row, builder) => (present(column(slots), row) ? make(column(slots), row, builder) : null),
      rounding,
    )
  }

  /** Input columns (by position) that the columns left at the end and the judgements are made of. */
  needed(): Set<number> {
    const found = new Set<number>()
    const open = [...this.#judged, ...[...this.columns.values()].map(({ slot }) => slot)]
    for (let slot = open.pop(); slot !== undefined; slot = open.pop()) {
      if (found.has(slot)) continue
      found.add(slot)
      open.push(...this.#parts[slot]!)
    }
    return found
  }

  #slot(parts: number[]): number {
    return this.#parts.push(parts) - 1
  }
}

export type Make = (slots: Column[], row: number, builder: ColumnBuilder) => Refusal
export type MapMake = (column: Column, row: number, builder: ColumnBuilder) => Refusal
