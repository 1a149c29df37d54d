/** concat, truncate, mask, hash, mapValues. Lengths and positions are code points. */
import { createHmac } from 'node:crypto'
import type { Mask, PlainValue } from '../flow-steps.ts'
import { readTemplate } from '../flow-values.ts'
import { cellAt, textOf, textReader } from './cells.ts'
import type { Cell } from './column-builder.ts'
import { columnBuilder } from './column-builders.ts'
import { exactOf } from './field-kind.ts'
import { literal } from './literal.ts'
import type { MapMake, Named, Scope } from './scope.ts'

/** A null part is empty text; all parts null: null. */
export function concat({ into, template }: { into: string; template: string }, scope: Scope): void {
  const read = readTemplate(template)
  if ('refused' in read) throw scope.wrong(`the template ${read.refused}`, 'Write {Field}, and {{ for a brace.')
  const parts = read.value.map((part) => {
    if (typeof part === 'string') return part
    const { field, slot } = scope.find(part.field, `${scope.at}.template`)
    return { nullable: field.nullable, slot, text: textReader(field.type) }
  })
  const fields = parts.filter((part) => typeof part === 'object')
  const nullable = fields.every((part) => part.nullable)
  scope.produce(
    { name: into, type: 'string', nullable },
    fields.map(({ slot }) => slot),
    'concat',
    (slots, row, builder) => {
      let any = false
      let joined = ''
      for (const part of parts) {
        if (typeof part === 'string') {
          joined += part
          continue
        }
        const text = part.text(slots[part.slot]!, row)
        if (text === null) continue
        any = true
        joined += text
      }
      return any ? builder.value(joined, row) : null
    },
  )
}

export function truncate({ fields, length }: { fields: string[]; length: number }, scope: Scope): void {
  eachText(fields, scope, 'truncate', ({ data }, row, builder) => {
    if (data.kind !== 'bytes') return null
    const { bytes } = data
    const start = data.offsets[row]!
    const end = data.offsets[row + 1]!
    let at = start
    // Bytes 10xxxxxx go on with a code point; every other byte begins one.
    for (let points = 0; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80 && points++ === length) break
    return builder.text(bytes, start, at, row)
  })
}

export function mask(step: Mask, scope: Scope): void {
  const { hideFirst, hideLast, keepFirst = 0, keepLast = 0 } = step
  eachText(step.fields, scope, 'mask', (column, row, builder) => {
    const points = Array.from(cellAt(column, 'string', row) as string)
    const from = hideLast === undefined ? keepFirst : points.length - hideLast
    const to = hideFirst === undefined ? points.length - keepLast : hideFirst
    return builder.value(points.map((point, i) => (i >= from && i < to ? step.with : point)).join(''), row)
  })
}

/** HMAC-SHA-256 in hexadecimal digits, of the value as text. */
export function hash({ fields, key: name }: { fields: string[]; key: string }, scope: Scope): void {
  const key = scope.key?.(name)
  for (const found of fields.map((field) => scope.find(field, `${scope.at}.fields`))) {
    const text = textOf(found.field.type)
    scope.map(found, 'string', 'hash', (column, row, builder) => {
      const value = text(cellAt(column, found.field.type, row))
      return key ? builder.value(createHmac('sha256', key).update(value).digest('hex'), row) : 'there is no key'
    })
  }
}

export interface MapValues {
  fields: string[]
  values: Record<string, PlainValue | null>
  otherwise?: PlainValue | null
}

/** The field keeps its type where every new value has it, and is text otherwise. Null stays null. */
export function mapValues(step: MapValues, scope: Scope): void {
  for (const found of step.fields.map((field) => scope.find(field, `${scope.at}.fields`))) {
    const { type, name } = found.field
    if (type === 'binary' || type === 'json') {
      throw scope.wrong(`'${name}' is ${type}: its values cannot be mapped`, 'Cast it to string before.')
    }
    const targets = [...Object.values(step.values), step.otherwise ?? null]
    const to = targets.every((value) => value === null || fits(found, value, scope)) ? type : 'string'
    const target = (value: PlainValue | null): Cell | null =>
      value === null ? null : to === 'string' ? String(value) : cellOf(found, value, scope)
    const text = textOf(type)
    const table = new Map(
      Object.entries(step.values).map(([from, value]) => [
        text(cellOf(found, keyOf(found, from), scope)),
        target(value),
      ]),
    )
    const otherwise = step.otherwise === undefined ? undefined : target(step.otherwise)
    scope.map({ ...found, field: { ...found.field, nullable: true } }, to, 'mapValues', (column, row, builder) => {
      const cell = cellAt(column, type, row)
      const asText = text(cell)
      let value = table.get(asText)
      if (value === undefined) value = otherwise === undefined ? (to === type ? cell : asText) : otherwise
      return value === null ? null : builder.value(value, row)
    })
  }
}

/** Keys of a map are text in every document: `true` is a boolean's. */
function keyOf({ field: { type } }: Named, written: string): PlainValue {
  return type === 'boolean' && (written === 'true' || written === 'false') ? written === 'true' : written
}

function fits({ field }: Named, value: PlainValue, scope: Scope): boolean {
  // A number in quotes would do as a literal, but as a new value it says that text is wanted.
  if (typeof value === 'string' && (exactOf(field.type) || field.type === 'float64')) return false
  try {
    const { value: cell, exact } = literal(field.type, value, (what) => scope.wrong(what, ''))
    return exact && columnBuilder(field).value(cell, 0) === null
  } catch {
    return false
  }
}

function cellOf({ field }: Named, value: PlainValue, scope: Scope): Cell {
  const wrong = (what: string) =>
    scope.wrong(`'${field.name}' is ${field.type}, and ${what}`, 'Write a value of its type.')
  return literal(field.type, value, wrong).value
}

function eachText(fields: string[], scope: Scope, rule: string, make: MapMake): void {
  for (const name of fields) {
    const found = scope.find(name, `${scope.at}.fields`)
    if (found.field.type !== 'string') {
      const what = `'${name}' is ${found.field.type}, and ${rule} works on text`
      throw scope.wrong(what, 'Cast it to string before, or leave it out.', `${scope.at}.fields`)
    }
    scope.map(found, 'string', rule, make)
  }
}
