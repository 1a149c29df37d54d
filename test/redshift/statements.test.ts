/** The text of the statements, with hostile names and values, parsed as Redshift's by a parser that is not ours. */
import { describe, expect, it } from 'vitest'
import type { Load } from '../../connectors/connector.ts'
import type { Column } from '../../connectors/redshift/column-types.ts'
import { Ledger, type Moved } from '../../connectors/redshift/ledger.ts'
import { loadStatements, MOST_STATEMENTS, type Target } from '../../connectors/redshift/load-statements.ts'
import { literal, name, tableName } from '../../connectors/redshift/sql.ts'
import { orSkip, sqlglotPython } from '../components.ts'
import { fieldsOf } from '../records/tables.ts'
import { unparsed } from './sqlglot.ts'

const HOSTILE = `it's "quoted" \\ back\nslash'; DROP TABLE "a" --`
const schema = fieldsOf({
  Id: 'string',
  [HOSTILE]: 'json',
  Amount: 'decimal(20,2)',
  At: 'timestamp',
  Raw: 'binary',
  _lakeward_op: 'string',
})
const load = (write: Load['write'], more: Partial<Load> = {}): Moved => ({
  ...{
    table: 'sales.accounts',
    n: 7,
    lane: HOSTILE,
    run: HOSTILE,
    watermark: '2026-01-01T00:00:00Z',
  },
  ...{ files: [{ url: 's3://b/1', rows: 5, bytes: 9 }], manifest: "s3://b/it's/manifest", order: ['At'], keys: ['Id'] },
  ...{ schema, write, ...more, after: 6 },
})
const column = (of: string, type: string, more: Partial<Column> = {}): Column => ({
  ...{ name: of, type, length: null, precision: null, scale: null, nullable: true, hasDefault: false },
  ...more,
})
const there: Target = {
  name: tableName('sales.accounts', 'public'),
  columns: [
    column('id', 'character varying', { length: 20 }),
    column('amount', 'numeric', { precision: 38, scale: 10 }),
    column('at', 'timestamp without time zone'),
  ],
  view: false,
}
const none: Target = { ...there, columns: null }
const ledger = new Ledger('public', HOSTILE)
const all = (): string[] =>
  (['append', 'replace', 'upsert'] as const).flatMap((write) =>
    [there, none].flatMap((target) =>
      [load(write), load(write, { schema: schema.slice(0, -1), order: [], watermark: null })].flatMap((one) => {
        const { early, transaction } = loadStatements(one, target, ledger, 'arn:aws:iam::123456789012:role/copy')
        return [...early, ...transaction]
      }),
    ),
  )

describe('statements', () => {
  it('are Redshift’s to sqlglot, each one, whatever names and values are', async (test) => {
    const python = await orSkip(sqlglotPython(), 'sqlglot')
    test.skip(python === null, 'there is no sqlglot here')
    const lock = ledger.begin()[0]!
    const sqls = [...all(), ledger.create(), ledger.newest(), ...ledger.begin()].filter((sql) => sql !== lock)
    expect(await unparsed(python!, sqls)).toEqual([])
    expect(await unparsed(python!, ['SELEC 1', "SELECT 'a\\'; SELECT 2", 'SELECT 1; SELECT 2'])).toHaveLength(3)
  })

  it('move the ledger first and prove it, and are forty at most', () => {
    for (const write of ['append', 'replace', 'upsert'] as const) {
      const wide = Array.from({ length: 90 }, (_, n) => `f${n}`)
      const fields = [...schema, ...fieldsOf(Object.fromEntries(wide.map((field) => [field, 'int32' as const])))]
      const { early, transaction } = loadStatements(load(write, { schema: fields }), there, ledger, undefined)
      expect(transaction[0]).toMatch(/^UPDATE "public"\."lakeward_ledger_[0-9a-f]{16}" SET "n" = 7, .* WHERE "n" = 6$/s)
      expect(transaction[1]).toMatch(/^SELECT 1 \/ CASE WHEN COUNT\(\*\) = 1 .* WHERE "n" = 7 AND "inserted" IS NULL$/s)
      expect(transaction).toHaveLength(MOST_STATEMENTS)
      expect(early.every((sql) => sql.startsWith('ALTER TABLE "sales"."accounts" A'))).toBe(true)
      expect([...early, ...transaction].filter((sql) => sql.includes(' ADD COLUMN '))).toHaveLength(
        write === 'append' ? 93 : 92,
      )
    }
  })

  it('hold names and literals that end where they should', () => {
    expect(name('A"b')).toBe('"a""b"')
    expect(literal(`a'b\\`)).toBe(`'a''b\\\\'`)
    expect(literal(null)).toBe('NULL')
    expect(tableName('Sales.Accounts', 'public')).toEqual({ schema: 'sales', table: 'accounts' })
    expect(tableName('Accounts', 'Public')).toEqual({ schema: 'public', table: 'accounts' })
    for (const wrong of ['', 'é'.repeat(64), 'a\0b']) expect(() => name(wrong)).toThrow('no name in Redshift')
  })
})
