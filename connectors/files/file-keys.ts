/** How files are to be read, as flows say it: `format`, `csv`, `schema`, complete. */
import type { FieldType, JsonObject } from '../connector.ts'

export interface CsvKeys {
  delimiter: string
  header: boolean
  /** '' : fields are never quoted. */
  quote: string
  encoding: string
  null: string
}

export interface FileKeys {
  format: 'csv' | 'jsonl' | 'parquet'
  csv: CsvKeys
  schema: Record<string, FieldType>
}

export const plainCsv: CsvKeys = { delimiter: ',', header: true, quote: '"', encoding: 'utf-8', null: '' }

/** Out of the options of an object, as the flow's grammar put them there. */
export const keysOf = (options: JsonObject): FileKeys => options as unknown as FileKeys
