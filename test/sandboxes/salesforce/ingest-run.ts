/** The rows of one ingest job: read from its CSV, written in pieces, and told as result files. */
import { readCsv, csvLine } from './csv.ts'
import { valueOf } from './given.ts'
import type { IngestJob } from './ingest.ts'
import type { Column, Table } from './table.ts'
import { lockError, refusal, type WriteError } from './write-rules.ts'
import type { Asked, Writer, Written } from './writer.ts'
import { repeatedKey } from './collections.ts'

/** The text that clears a field; an empty cell leaves it alone. */
const NULL = '#N/A'

interface Row {
  cells: string[]
  /** null: not worked off; 'lost': told in no result file. */
  written: Written | 'lost' | null
}

type Target = { column: Column } | { relation: string; column: Column }

export class IngestRun {
  private readonly writer: Writer
  private readonly job: IngestJob
  private readonly table: Table
  private header: string[] = []
  private rows: Row[] = []

  constructor(writer: Writer, job: IngestJob) {
    this.writer = writer
    this.job = job
    this.table = writer.org.table(job.object)!
    const lines = [...readCsv(job.csv ?? '', job.delimiter)]
    this.header = lines[0] ?? []
    this.rows = lines.slice(1).map((cells) => ({ cells, written: null }))
  }

  get processed(): number {
    return this.rows.filter(({ written }) => written !== null).length
  }

  get rejected(): number {
    return this.rows.filter(({ written }) => written !== null && written !== 'lost' && 'error' in written).length
  }

  /** null: done; else why the job as a whole failed. */
  work(chunkRows: number): string | null {
    const { header, table } = this
    const targets: Target[] = []
    for (const name of header) {
      const target = targetOf(this.writer, table, name)
      if (!target) return `InvalidBatch : Field name not found : ${name}`
      targets.push(target)
    }
    if (new Set(header.map((name) => name.toLowerCase())).size !== header.length) {
      return 'InvalidBatch : Duplicate column in header'
    }
    const ragged = this.rows.find(({ cells }) => cells.length !== header.length)
    if (ragged) return `InvalidBatch : The number of columns in a row does not match the header`
    const { externalIdFieldName, operation } = this.job
    const keyName = operation === 'upsert' ? externalIdFieldName : null
    const key = keyName === null ? null : table.column(keyName)!
    for (let at = 0; at < this.rows.length; at += 2 * chunkRows) {
      const held = this.piece(at, chunkRows, targets, key, new Set())
      this.piece(at + chunkRows, chunkRows, targets, key, held)
    }
    return null
  }

  /** Works off one piece, beside another that holds some parents; answers what it holds itself. */
  private piece(from: number, rows: number, targets: Target[], key: Column | null, held: Set<string>): Set<string> {
    const holds = new Set<string>()
    const seen = new Set<string>()
    for (const row of this.rows.slice(from, from + rows)) {
      const asked = askedOf(targets, row.cells)
      if ('error' in asked) {
        row.written = { id: null, error: asked.error }
        continue
      }
      const value = key ? String((key.field.name === 'Id' ? asked.id : asked.values.get(key.field.name)) ?? '') : ''
      if (key && key.field.name !== 'Id' && value === '') {
        row.written = 'lost'
        continue
      }
      if (key && value !== '' && seen.has(value)) {
        row.written = { id: null, error: repeatedKey(key, value) }
        continue
      }
      seen.add(value)
      const parents = targets.flatMap((target, at) =>
        target.column.field.type === 'reference' || 'relation' in target ? [row.cells[at]!] : [],
      )
      const busy = parents.find((parent) => parent !== '' && held.has(parent))
      for (const parent of parents) holds.add(parent)
      row.written =
        busy === undefined
          ? this.writer.write(this.table, this.job.operation, asked, key)
          : { id: null, error: lockError(busy) }
    }
    return holds
  }

  successful(): string {
    const done = this.rows.flatMap(({ cells, written }) =>
      written !== null && written !== 'lost' && 'created' in written
        ? [csvLine([written.id, String(written.created || this.job.operation === 'insert'), ...cells])]
        : [],
    )
    return csvLine(['sf__Id', 'sf__Created', ...this.header]) + shuffled(done).join('')
  }

  failed(): string {
    const failed = this.rows.flatMap(({ cells, written }) => {
      if (written === null || written === 'lost' || !('error' in written)) return []
      const { statusCode, message, fields } = written.error
      return [csvLine([written.id ?? '', `${statusCode}:${message}:${fields.join(', ')} --`, ...cells])]
    })
    return csvLine(['sf__Id', 'sf__Error', ...this.header]) + shuffled(failed).join('')
  }

  unprocessed(): string {
    const left = this.rows.filter(({ written }) => written === null)
    return csvLine(this.header) + left.map(({ cells }) => csvLine(cells)).join('')
  }
}

/** Results are not in the order of the upload. */
function shuffled(lines: string[]): string[] {
  return [...lines.filter((_, at) => at % 2 === 1), ...lines.filter((_, at) => at % 2 === 0)]
}

function targetOf(writer: Writer, table: Table, name: string): Target | undefined {
  const [relation = '', key] = name.split('.')
  if (key === undefined) {
    const column = table.column(name)
    return column && { column }
  }
  const field = table.model.fields.find(({ relationshipName }) => relationshipName === relation)
  const column = writer.org.table(field?.referenceTo[0] ?? '')?.column(key)
  return column && { relation, column }
}

function askedOf(targets: Target[], cells: string[]): Asked | { error: WriteError } {
  const asked: Asked = { id: null, values: new Map(), parents: [] }
  for (const [at, target] of targets.entries()) {
    const cell = cells[at]!
    if (cell === '') continue
    const { field } = target.column
    const value = cell === NULL ? null : valueOf(field, cell)
    if (value === undefined) {
      const message = `${field.label}: value not of required type: ${cell}`
      return { error: refusal('INVALID_TYPE_ON_FIELD_IN_RECORD', message, [field.name]) }
    }
    if ('relation' in target) asked.parents.push({ relation: target.relation, key: field.name, value })
    else if (field.type === 'id') asked.id = value === null ? null : String(value)
    else asked.values.set(field.name, value)
  }
  return asked
}
