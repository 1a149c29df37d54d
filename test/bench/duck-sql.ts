/** DuckDB's part: the limit that others are measured against, in SQL as it is printed beside every figure. */
import { columns } from './columns.ts'

export interface DuckTask {
  form: 'csv' | 'json'
  path: string
  out: string
  /** Like Lakeward's: zstd at level 1, rows in any order; else DuckDB's defaults. */
  alike: boolean
}

const quoted = (name: string): string => `"${name}"`

/** Typed as the description says; `text`: as texts, for whoever checks what types make of them. */
export function source(form: 'csv' | 'json', path: string, text = false): string {
  const typed = columns.map(({ name, duck }) => {
    const type = duck === 'TIMESTAMPTZ' ? 'TIMESTAMP' : duck
    return `'${name}': '${text ? 'VARCHAR' : type}'`
  })
  const shape = `columns = {${typed.join(', ')}}`
  if (form === 'csv') {
    return `read_csv('${path}', header = true, delim = ',', quote = '"', escape = '"', new_line = '\\n', nullstr = '', auto_detect = false, ${shape})`
  }
  const stamps = text ? '' : `, timestampformat = '%Y-%m-%dT%H:%M:%S.%g+0000'`
  return `read_json('${path}', format = 'newline_delimited', ${shape}${stamps})`
}

export function copySql({ form, path, out, alike }: DuckTask): string {
  const names = columns.map(({ name }) => quoted(name)).join(', ')
  const level = alike ? ', COMPRESSION_LEVEL 1' : ''
  return `COPY (SELECT ${names} FROM ${source(form, path)}) TO '${out}' (FORMAT parquet, COMPRESSION zstd${level})`
}
