/**
 * A record's values as Salesforce takes them: JSON members of a call, cells of a job's CSV. Pure.
 *
 * Law: both ways write the same. A field without a value is cleared, or left alone with `nulls: keep`; a text of no
 * letters is no value in either; a checkbox has no null and is left alone; numbers keep all their digits; Salesforce
 * keeps milliseconds, so longer fractions of a second are cut.
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_composite_sobjects_collections.htm
 * https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm
 */
import type { Row } from '../../connector.ts'
import { isNumber } from '../../records/field-kind.ts'
import type { RecordTarget, TargetField } from '../../record-sink.ts'
import { wrongAnswer } from '../objects.ts'

export type Nulls = 'clear' | 'keep'

/** The text that clears a field in a CSV file, where an empty cell leaves it alone. */
export const NULL_CELL = '#N/A'

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/

/** A value's text; null: no value; undefined: the field is left alone. @throws TypeError for what is no such value */
function textOf(field: TargetField, cell: Row[string]): string | null | undefined {
  const { type, name } = field
  if (cell === null || cell === undefined || cell === '') return type === 'boolean' ? undefined : null
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString('base64')
  if (typeof cell === 'object') return JSON.stringify(cell)
  const text = String(cell)
  if (isNumber(type) && !NUMBER.test(text)) throw new TypeError(`${name}: it is not a number`)
  if (type === 'boolean' && !/^(true|false)$/.test(text)) throw new TypeError(`${name}: it is neither true nor false`)
  return type === 'timestamp' || type === 'time' ? text.replace(/(\.\d{3})\d+/, '$1') : text
}

/** The record as JSON text, its object's name within. */
export function jsonRecord(target: RecordTarget, fields: TargetField[], row: Row, nulls: Nulls): string {
  let json = `{"attributes":{"type":${JSON.stringify(target.object)}}`
  for (const field of fields) {
    const { name, of, spec, type } = field
    const text = textOf(field, row[name])
    if (text === undefined || (text === null && nulls === 'keep')) continue
    const value = text === null ? 'null' : isNumber(type) || type === 'boolean' ? text : JSON.stringify(text)
    if (!spec) json += `,${JSON.stringify(name)}:${value}`
    // A parent is taken away by its own field.
    else if (text === null) json += `,${JSON.stringify(of)}:null`
    else json += `,${JSON.stringify(spec['relation'])}:{${JSON.stringify(spec['key'])}:${value}}`
  }
  return `${json}}`
}

export function csvCells(fields: TargetField[], row: Row, nulls: Nulls): string[] {
  return fields.map((field) => {
    const text = textOf(field, row[field.name])
    if (text === undefined) return ''
    if (text === null) return nulls === 'clear' ? NULL_CELL : ''
    return text
  })
}

/** A text that a CSV file would take for no value: it can only be sent by a call. */
export function meansNull(fields: TargetField[], row: Row): boolean {
  return fields.some(({ name }) => row[name] === NULL_CELL)
}

export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`
}

/** Records of a result file as cells. @throws ConnectorError where a quoted cell has no end */
export function* csvRecords(text: string): Generator<string[]> {
  const cell = /("[^"]*(?:""[^"]*)*"|[^",\r\n]*)(,|\r\n|\n|\r|$)/y
  let cells: string[] = []
  while (cell.lastIndex < text.length || cells.length > 0) {
    const found = cell.exec(text)
    if (!found) throw wrongAnswer('read the results', 'a quoted cell has no end')
    const [, value = '', end] = found
    cells.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value)
    if (end === ',') continue
    yield cells
    cells = []
  }
}
