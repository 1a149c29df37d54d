/**
 * What a table is now.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMNS.html
 */
import type { Column } from './column-types.ts'
import type { DataApi } from './data-api.ts'
import type { Target } from './load-statements.ts'
import { literal, type TableName } from './sql.ts'

export async function inspectTable(api: DataApi, of: TableName): Promise<Target> {
  const where = `WHERE "table_schema" = ${literal(of.schema)} AND "table_name" = ${literal(of.table)}`
  const kinds = await api.run(`SELECT "table_type" FROM "svv_tables" ${where}`)
  if (kinds.length === 0) return { name: of, columns: null, view: false }
  const about =
    '"column_name", "data_type", "character_maximum_length", "numeric_precision", "numeric_scale", "is_nullable", ' +
    '"column_default"'
  const rows = await api.run(`SELECT ${about} FROM "svv_columns" ${where} ORDER BY "ordinal_position"`)
  const columns = rows.map(([name, type, length, precision, scale, nullable, defaultOf]): Column => {
    const number = (text: string | null | undefined): number | null => (text ? Number(text) : null)
    return {
      name: name!,
      // Two names of one type.
      type: type === 'binary varying' ? 'varbyte' : type!,
      length: number(length),
      precision: number(precision),
      scale: number(scale),
      nullable: nullable !== 'NO',
      hasDefault: Boolean(defaultOf),
    }
  })
  return { name: of, columns, view: kinds[0]![0] !== 'BASE TABLE' && kinds[0]![0] !== 'TABLE' }
}
