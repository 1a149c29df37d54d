/** How a flow says to read files: `format`, `csv` and `schema` of its objects. */
import { z } from 'zod'
import type { FieldType } from './connector.ts'
import type { FileKeys } from './files/file-keys.ts'
import { plainCsv } from './files/file-keys.ts'
import { castType, newField } from './flow-values.ts'
import { always, choice, flag, parsed, type Read, shown, strict, words } from './strict.ts'

const mark = (about: string, none: boolean) =>
  parsed(about, (written): Read<string> => {
    if ((none && written === '') || /^[\t\x20-\x7e]$/.test(written)) return { value: written }
    const advice = 'one character such as , ; | or "\\t"' + (none ? ', or "" where nothing is quoted' : '')
    return { refused: words(`${shown(written)} is not one character of ASCII`, advice) }
  })

const encoding = parsed('Encoding of the text; default utf-8', (written): Read<string> => {
  try {
    return { value: new TextDecoder(written).encoding }
  } catch {
    return {
      refused: words(`${shown(written)} is no encoding`, 'utf-8, utf-16le, windows-1252, iso-8859-15, shift_jis …'),
    }
  }
})

const csv = strict('csv', {
  delimiter: mark('What stands between fields; default a comma', false).optional(),
  header: flag('The first line names the columns; default true. Else they are those of `schema`, in order').optional(),
  quote: mark('What quotes fields; default "', true).optional(),
  encoding: encoding.optional(),
  null: z.string().describe('What stands for null without quotes; default nothing at all').optional(),
}).superRefine(({ delimiter = plainCsv.delimiter, quote = plainCsv.quote }, context) => {
  if (delimiter === quote) context.addIssue({ code: 'custom', path: ['quote'], message: 'is the delimiter as well' })
}, always)

/** At the source, for all of its objects, or at one. */
export const fileKeys = {
  format: choice('Format of the files, where the source has files', ['csv', 'jsonl', 'parquet']).optional(),
  csv: csv.describe('How CSV files are written').optional(),
}

export const schema = z
  .record(newField('A column'), castType)
  .describe(
    'The columns of files, or of events, and their types; for files `lakeward fields CONNECTION PATTERN` proposes them',
  )

export interface WrittenFileKeys {
  format?: FileKeys['format'] | undefined
  csv?: z.output<typeof csv> | undefined
  schema?: Record<string, FieldType> | undefined
}

/** undefined: the object is none of files. What an object says wins over the source, key by key. */
export function completeFileKeys(own: WrittenFileKeys, shared: WrittenFileKeys): FileKeys | undefined {
  const format = own.format ?? shared.format
  if (format === undefined) return undefined
  const said = Object.entries({ ...shared.csv, ...own.csv }).filter(([, value]) => value !== undefined)
  return { format, csv: { ...plainCsv, ...Object.fromEntries(said) }, schema: own.schema ?? {} }
}
