import { createHmac, createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Field, FieldType, Row } from '../../connectors/connector.ts'
import { InputError } from '../../connectors/errors.ts'
import { InvalidRecord, compileRecipe, keyNames, neededFields, outputFields } from '../../connectors/records/recipe.ts'
import type { Recipe, Step } from '../../connectors/records/recipe.ts'
import { decodedRows, fieldsOf, textRows } from './tables.ts'

const key = createSecretKey(Buffer.from('a secret of the installation'))
const recipeOf = (more: Partial<Recipe>): Recipe => ({
  where: null,
  transform: [],
  onInvalid: 'quarantine',
  partitionBy: [],
  op: false,
  ...more,
})
type Types = Record<string, FieldType>

function run(recipe: Recipe, types: Types, rows: Row[], output?: Field[]) {
  const fields = fieldsOf(types)
  const pipeline = compileRecipe(recipe, fields, output ?? outputFields(recipe, fields), () => key)
  const [outcome] = decodedRows(fields, rows).map((decoded) => pipeline.run(decoded))
  return outcome!
}
/** One step on rows: the output and, where a row was refused, the reason. */
function apply(transform: Step | Step[], types: Types, rows: Row[]) {
  const recipe = recipeOf({ transform: [transform].flat() })
  const { batch, rejects } = run(recipe, types, rows)
  return { types: batch.fields.map(({ name, type }) => `${name} ${type}`), rows: textRows(batch), rejects }
}
const values = (step: Step | Step[], type: FieldType, ...written: Row[string][]) =>
  apply(
    step,
    { v: type },
    written.map((v) => ({ v })),
  ).rows.map(({ v }) => v)

describe('steps', () => {
  it('keep: these fields, in this order', () => {
    expect(
      apply({ keep: ['c', 'a'] }, { a: 'string', b: 'string', c: 'int32' }, [{ a: 'x', b: 'y', c: 1 }]),
    ).toMatchObject({
      types: ['c int32', 'a string'],
      rows: [{ c: '1', a: 'x' }],
    })
  })
  it('drop and rename, also in a circle', () => {
    const steps: Step[] = [{ rename: { a: 'b', b: 'a' } }, { drop: ['c'] }]
    expect(apply(steps, { a: 'string', b: 'int32', c: 'string' }, [{ a: 'x', b: 1 }])).toMatchObject({
      types: ['b string', 'a int32'],
      rows: [{ b: 'x', a: '1' }],
    })
  })
  it('set: a new field by its value, an old one in its own type', () => {
    const step: Step = { set: { m: 1.5, s: 'x', n: 7, f: 0.5, b: true } }
    expect(apply(step, { m: 'decimal(18,2)' }, [{ m: 9 }, {}])).toMatchObject({
      types: ['m decimal(18,2)', 's string', 'n int64', 'f float64', 'b boolean'],
      rows: [
        { m: '1.50', s: 'x', n: '7', f: '0.5', b: 'true' },
        { m: '1.50', s: 'x', n: '7', f: '0.5', b: 'true' },
      ],
    })
  })
  it('concat: null parts are empty, all null is null, {{ is a brace', () => {
    const step: Step = { concat: { into: 'x', template: '{{{a}}: {n} {d}' } }
    const rows = [{ a: 'é', n: '1.50', d: '2026-01-02' }, { n: 2 }, {}]
    expect(apply(step, { a: 'string', n: 'decimal(5,2)', d: 'date' }, rows).rows.map(({ x }) => x)).toEqual([
      '{é}: 1.50 2026-01-02',
      '{}: 2.00 ',
      null,
    ])
  })
  it('truncate counts code points', () => {
    expect(values({ truncate: { fields: ['v'], length: 3 } }, 'string', 'ab', 'abcd', '日本😀語', '', null)).toEqual([
      'ab',
      'abc',
      '日本😀',
      '',
      null,
    ])
  })
  it.each<[Partial<Record<'hideFirst' | 'hideLast' | 'keepFirst' | 'keepLast', number>>, string[]]>([
    [{}, ['*****', '*', '']],
    [{ hideFirst: 2 }, ['**😀de', '*', '']],
    [{ hideLast: 2 }, ['ab😀**', '*', '']],
    [{ keepFirst: 2 }, ['ab***', 'x', '']],
    [{ keepLast: 2 }, ['***de', 'x', '']],
    [{ keepFirst: 1, keepLast: 2 }, ['a**de', 'x', '']],
  ])('mask %o', (parts, shown) => {
    const step: Step = { mask: { fields: ['v'], with: '*', ...parts } }
    expect(values(step, 'string', 'ab😀de', 'x', '', null)).toEqual([...shown, null])
  })
  it('hash is HMAC-SHA-256 of the text, and keeps null', () => {
    const hex = (text: string) => createHmac('sha256', key).update(text).digest('hex')
    const step: Step = { hash: { fields: ['v'], key: 'pii' } }
    expect(values(step, 'string', 'é', null)).toEqual([hex('é'), null])
    expect(values(step, 'decimal(5,2)', 1.5)).toEqual([hex('1.50')])
    expect(keyNames({ transform: [step, step] })).toEqual(['pii'])
  })
  it('mapValues keeps the type where it can', () => {
    const map = (
      table: Record<string, string | number | boolean | null>,
      otherwise?: string | number | null,
    ): Step => ({
      mapValues: { fields: ['v'], values: table, ...(otherwise === undefined ? {} : { otherwise }) },
    })
    expect(values(map({ a: 'b', '': 'empty', x: null }), 'string', 'a', '', 'x', 'c', null)).toEqual([
      'b',
      'empty',
      null,
      'c',
      null,
    ])
    expect(values(map({ a: 'b' }, null), 'string', 'a', 'c')).toEqual(['b', null])
    expect(apply(map({ '1.5': 2, '3': 4 }, 0), { v: 'decimal(5,2)' }, [{ v: 1.5 }, { v: 9 }])).toMatchObject({
      types: ['v decimal(5,2)'],
      rows: [{ v: '2.00' }, { v: '0.00' }],
    })
    expect(apply(map({ true: 'yes' }), { v: 'boolean' }, [{ v: true }, { v: false }, {}])).toMatchObject({
      types: ['v string'],
      rows: [{ v: 'yes' }, { v: 'false' }, { v: null }],
    })
  })
  it('formatDate in a zone, across a change of clocks', () => {
    const step: Step = {
      formatDate: { fields: ['v'], pattern: "EEE d MMM yyyy 'at' HH:mm:ss.SSS XXX", timezone: 'Europe/Berlin' },
    }
    expect(
      values(step, 'timestamp', '2026-03-29T00:59:59.999Z', '2026-03-29T01:00:00Z', '1700-01-01T00:00:00Z', null),
    ).toEqual([
      'Sun 29 Mar 2026 at 01:59:59.999 +01:00',
      'Sun 29 Mar 2026 at 03:00:00.000 +02:00',
      expect.stringMatching(/^Fri 1 Jan 1700 at 00:53:28.000/) as string,
      null,
    ])
    const short: Step = { formatDate: { fields: ['v'], pattern: "yy-M-d D h a ''X", timezone: 'America/New_York' } }
    expect(values(short, 'date', '2026-02-01', '4000-12-31')).toEqual(["26-2-1 32 12 AM 'Z", "00-12-31 366 12 AM 'Z"])
  })
})

describe('cast', () => {
  it.each<[FieldType, FieldType, Row[string], string]>([
    ['string', 'int32', '42', '42'],
    ['string', 'decimal(18,2)', '1.005', '1.01'],
    ['string', 'boolean', 'true', 'true'],
    ['string', 'timestamp', '2026-01-01T00:00:00+02:00', '2025-12-31T22:00:00Z'],
    ['string', 'date', '2026-01-01', '2026-01-01'],
    ['string', 'json', '{"a":1}', '{"a":1}'],
    ['int32', 'string', 7, '7'],
    ['int32', 'float64', 7, '7'],
    ['int64', 'int32', 7, '7'],
    ['int64', 'decimal(38,4)', '9223372036854775807', '9223372036854775807.0000'],
    ['decimal(18,2)', 'int32', '-2.50', '-3'],
    ['decimal(18,2)', 'decimal(18,4)', '1.25', '1.2500'],
    ['decimal(38,4)', 'decimal(18,1)', '1.2500', '1.3'],
    ['decimal(18,2)', 'float64', '0.10', '0.1'],
    ['float64', 'decimal(18,2)', 0.145, '0.15'],
    ['float64', 'int64', 1e15, '1000000000000000'],
    ['date', 'timestamp', '1969-12-31', '1969-12-31T00:00:00Z'],
    ['timestamp', 'date', '1969-12-31T23:59:59.999999Z', '1969-12-31'],
    ['timestamp', 'time', '1969-12-31T23:59:59.999999Z', '23:59:59.999999'],
    ['timestamp', 'string', '2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.500Z'],
    ['boolean', 'string', false, 'false'],
    ['boolean', 'json', false, 'false'],
    ['binary', 'string', Uint8Array.of(255), '/w=='],
    ['json', 'string', { a: [] }, '{"a":[]}'],
  ])('%s to %s: %s is %s', (from, to, value, shown) => {
    expect(apply({ cast: { v: to } }, { v: from }, [{ v: value }, {}])).toMatchObject({
      types: [`v ${to}`],
      rows: [{ v: shown }, { v: null }],
      rejects: [],
    })
  })
  it.each<[FieldType, FieldType, Row[string], string]>([
    ['string', 'int32', 'x', 'not a number'],
    ['string', 'int32', '', 'not a number'],
    ['string', 'json', '{', 'not JSON'],
    ['int64', 'int32', '2147483648', 'too large'],
    ['decimal(18,2)', 'decimal(4,2)', '100', 'too large'],
    ['decimal(18,2)', 'decimal(3,1)', '99.95', 'too large'],
    ['float64', 'int32', 1e300, 'too large'],
  ])('%s to %s: %s is invalid', (from, to, value, reason) => {
    const { rows, rejects } = apply({ cast: { v: to } }, { v: from }, [{ v: value }])
    expect(rows).toEqual([])
    expect(rejects).toMatchObject([{ field: 'v', rule: 'cast', reason: expect.stringContaining(reason) as string }])
  })
})

describe('arithmetic', () => {
  const sum = (operator: 'add' | 'subtract' | 'multiply' | 'divide', ...operands: (string | number)[]): Step => ({
    arithmetic: { into: 'x', operator, operands },
  })
  const types: Types = { i: 'int32', l: 'int64', m: 'decimal(18,2)', n: 'decimal(18,4)', f: 'float64' }
  const row = { i: 7, l: '9007199254740993', m: '0.10', n: '0.2000', f: 0.5 }
  it.each<[Step, string, string]>([
    [sum('add', 'i', 'l'), 'int64', '9007199254741000'],
    [sum('multiply', 'i', 2), 'int64', '14'],
    [sum('add', 'm', 'n'), 'decimal(21,4)', '0.3000'],
    [sum('subtract', 'm', 'n', 1), 'decimal(21,4)', '-1.1000'],
    [sum('add', 'i', 0.25), 'decimal(13,2)', '7.25'],
    [sum('multiply', 'm', 'n'), 'decimal(36,6)', '0.020000'],
    [sum('divide', 'm', 'n'), 'decimal(26,6)', '0.500000'],
    [sum('divide', 'i', 3), 'decimal(16,6)', '2.333333'],
    [sum('divide', 'i', 3, -2), 'decimal(16,6)', '-1.166667'],
    [sum('divide', 100, 'i'), 'decimal(9,6)', '14.285714'],
    [sum('add', 'f', 'm'), 'float64', '0.6'],
    [sum('divide', 'i', 'f'), 'float64', '14'],
  ])('%o', (step, type, value) => {
    const { types: made, rows } = apply(step, types, [row, {}])
    expect(made.at(-1)).toBe(`x ${type}`)
    expect(rows.map(({ x }) => x)).toEqual([value, null])
  })
  it.each<[Step, Row, string]>([
    [sum('divide', 'i', 'l'), { i: 1, l: 0 }, 'divided by zero'],
    [sum('divide', 'f', 'i'), { f: 1, i: 0 }, 'divided by zero'],
    [sum('multiply', 'l', 'l'), { l: '9007199254740993' }, 'too large'],
    [sum('multiply', 'f', 1e300), { f: 1e300 }, 'no double'],
  ])('%o is invalid', (step, values_, reason) => {
    expect(apply(step, types, [values_]).rejects).toMatchObject([
      { field: 'x', rule: 'arithmetic', reason: expect.stringContaining(reason) as string },
    ])
  })
})

describe('what becomes of records', () => {
  const types: Types = { Id: 'string', n: 'int32', s: 'string' }
  const rows = [
    { Id: '1', n: 1, s: 'a' },
    { Id: '2', n: -1, s: 'b' },
    { Id: '3', n: 0, s: null },
    { Id: '4', n: 'x', s: 'c' },
    { Id: '5', n: 9, s: 'zz' },
    { Id: '6', n: null, s: 'd' },
  ]
  const validations: Step[] = [
    { rename: { n: 'number' } },
    { validate: { fields: ['number'], rule: 'notNegative', onInvalid: 'drop' } },
    { validate: { fields: ['s'], rule: 'notNull', onInvalid: 'quarantine' } },
  ]

  it('is counted: read = written + filtered + dropped + quarantined', () => {
    const outcome = run(recipeOf({ where: { s: { ne: 'zz' } }, transform: validations }), types, rows)
    expect(textRows(outcome.batch).map(({ Id }) => Id)).toEqual(['1', '6'])
    expect(outcome).toMatchObject({ read: 6, filtered: 1, dropped: 1 })
    expect(outcome.rejects).toEqual([
      { row: '{"Id":"4","n":"x","s":"c"}', field: 'n', rule: 'type', reason: 'it is not a number', deleted: false },
      { row: '{"Id":"3","n":0,"s":null}', field: 's', rule: 'notNull', reason: 'it is null', deleted: false },
    ])
  })

  it('a record is refused once, by the first rule it breaks', () => {
    const transform: Step[] = [
      { cast: { s: 'int32' } },
      { validate: { fields: ['n', 's'], rule: 'notNull', onInvalid: 'quarantine' } },
    ]
    expect(run(recipeOf({ transform }), types, [{ s: 'x' }]).rejects).toMatchObject([{ field: 's', rule: 'cast' }])
  })

  it.each(['notZero', 'notNegative', 'numeric', 'notNull'] as const)('%s', (rule) => {
    const bad = { notZero: 0, notNegative: -1, numeric: 'x', notNull: null }[rule]
    const type = rule === 'numeric' ? 'string' : 'decimal(18,2)'
    const transform: Step[] = [{ validate: { fields: ['v'], rule, onInvalid: 'drop' } }]
    const good = rule === 'numeric' ? ['1e3', '-1.5', null] : [1]
    const outcome = run(
      recipeOf({ transform }),
      { v: type },
      [bad, ...good].map((v) => ({ v })),
    )
    expect(outcome).toMatchObject({ dropped: 1, batch: { rows: good.length } })
  })

  it('fail stops, and says no value', () => {
    const transform: Step[] = [{ validate: { fields: ['s'], rule: 'numeric', onInvalid: 'fail' } }]
    expect(() => run(recipeOf({ transform }), types, [{ s: 'a secret' }])).toThrow(InvalidRecord)
    expect(() => run(recipeOf({ transform }), types, [{ s: 'a secret' }])).not.toThrow('a secret')
    expect(() => run(recipeOf({ onInvalid: 'fail' }), types, rows)).toThrow('field n, rule type')
  })

  it('drop drops what has no value of its type, too', () => {
    expect(run(recipeOf({ onInvalid: 'drop' }), types, rows)).toMatchObject({ read: 6, dropped: 1, rejects: [] })
  })

  it('deletes pass filters and validations, and are never dropped', () => {
    const fields = fieldsOf(types)
    const recipe = recipeOf({
      op: true,
      onInvalid: 'drop',
      where: { s: { eq: 'a' } },
      transform: [...validations, { set: { s: '12345678901' } }, { cast: { s: 'int32' } }, { drop: ['s'] }],
    })
    const ready = { ...recipe, transform: recipe.transform.slice(0, 3) }
    const op = { field: 's', map: { dead: 'delete', a: 'upsert', b: 'upsert' } } as const
    const decoded = decodedRows(
      fields,
      [
        { Id: '1', n: -5, s: 'dead' },
        { Id: '2', n: 1, s: 'b' },
        { Id: '3', n: 1, s: 'a' },
      ],
      op,
    )
    const outcome = compileRecipe(ready, fields, outputFields(ready, fields), () => key).run(decoded[0]!)
    expect(textRows(outcome.batch)).toEqual([
      { Id: '1', number: '-5', s: 'dead', _lakeward_op: 'delete' },
      { Id: '3', number: '1', s: 'a', _lakeward_op: 'upsert' },
    ])
    const failing = compileRecipe(recipe, fields, outputFields(recipe, fields), () => key).run(decoded[0]!)
    expect(failing.rejects).toMatchObject([{ rule: 'cast', deleted: true }])
    expect(failing.dropped).toBe(1)
  })
})

describe('the output', () => {
  const input = fieldsOf({ Id: 'string', Name: 'string', Amount: 'decimal(18,2)', At: 'timestamp', Raw: 'json' })

  it('is brought to the schema of the lane', () => {
    const output = fieldsOf({ Gone: 'string', Id: 'string', n: 'int64', Amount: 'decimal(20,4)' })
    const outcome = run(
      recipeOf({}),
      { Id: 'string', n: 'int32', Amount: 'decimal(18,2)', More: 'string' },
      [{ Id: '1', n: 5, Amount: '1.25', More: 'x' }],
      output,
    )
    expect(outcome.batch.fields).toBe(output)
    expect(textRows(outcome.batch)).toEqual([{ Gone: null, Id: '1', n: '5', Amount: '1.2500' }])
  })

  it('knows which source fields it takes', () => {
    const transform: Step[] = [
      { validate: { fields: ['Raw'], rule: 'notNull', onInvalid: 'drop' } },
      { concat: { into: 'x', template: '{Name}' } },
      { keep: ['x'] },
    ]
    expect(neededFields(recipeOf({ transform, where: { Amount: { gt: 1 } } }), input)).toEqual([
      'Name',
      'Amount',
      'Raw',
    ])
    expect(neededFields(recipeOf({ transform: [{ keep: ['Name'] }] }), input, ['Id', 'At'])).toEqual([
      'Id',
      'Name',
      'At',
    ])
  })

  it.each<[string, Partial<Recipe>, string, string]>([
    ['unknown field', { transform: [{ drop: ['Nmae'] }] }, 'transform[0].drop', "did you mean 'Name'"],
    [
      'name of an earlier step',
      { transform: [{ rename: { Name: 'name' } }, { drop: ['Name'] }] },
      'transform[1].drop',
      "did you mean 'name'",
    ],
    [
      'collision',
      { transform: [{ rename: { Name: 'Id' } }] },
      'transform[0].rename',
      "two fields would be called 'Id'",
    ],
    [
      'mask of a number',
      { transform: [{ mask: { fields: ['Amount'], with: '*' } }] },
      'transform[0].mask.fields',
      'works on text',
    ],
    [
      'truncate of json',
      { transform: [{ truncate: { fields: ['Raw'], length: 1 } }] },
      'transform[0].truncate.fields',
      'works on text',
    ],
    ['impossible cast', { transform: [{ cast: { At: 'int32' } }] }, 'transform[0].cast.At', 'cannot be cast to int32'],
    [
      'sum of text',
      { transform: [{ arithmetic: { into: 'x', operator: 'add', operands: ['Amount', 'Name'] } }] },
      'transform[0].arithmetic.add[1]',
      'not a number',
    ],
    [
      'too many digits',
      {
        transform: [
          { cast: { Amount: 'decimal(38,20)' } },
          { arithmetic: { into: 'x', operator: 'multiply', operands: ['Amount', 'Amount'] } },
        ],
      },
      'transform[1].arithmetic',
      '40 digits',
    ],
    [
      'pattern',
      { transform: [{ formatDate: { fields: ['At'], pattern: 'YYYY', timezone: 'UTC' } }] },
      'transform[0].formatDate.pattern',
      "'YYYY' is none",
    ],
    [
      'format of text',
      { transform: [{ formatDate: { fields: ['Name'], pattern: 'yyyy', timezone: 'UTC' } }] },
      'transform[0].formatDate.fields',
      'dates and timestamps',
    ],
    [
      'template',
      { transform: [{ concat: { into: 'x', template: '{Nam}' } }] },
      'transform[0].concat.template',
      "did you mean 'Name'",
    ],
    ['set', { transform: [{ set: { Amount: 'x' } }] }, 'transform[0].set.Amount', 'no number'],
    ['set of too much', { transform: [{ set: { Amount: 1.005 } }] }, 'transform[0].set.Amount', 'does not fit'],
    [
      'validation of a time',
      { transform: [{ validate: { fields: ['At'], rule: 'notZero', onInvalid: 'drop' } }] },
      'transform[0].validate.fields',
      'looks at numbers',
    ],
    [
      'nothing left',
      { transform: [{ drop: ['Id', 'Name', 'Amount', 'At', 'Raw'] }] },
      'transform[0].drop',
      'no field is left',
    ],
    ['our name', { transform: [{ rename: { Id: '_lakeward_op' } }] }, 'transform', 'own name'],
    ['key', { transform: [{ drop: ['Id'] }] }, 'transform', "no field 'Id'"],
    ['filter', { where: { Name: { gt: 5 } } }, 'where.Name.gt', 'no text'],
    [
      'partition',
      { transform: [{ rename: { At: 'at' } }], partitionBy: [{ by: 'day', of: 'At' }] },
      'destination.partitionBy[0]',
      "did you mean 'at'",
    ],
    [
      'partition of a number',
      { partitionBy: [{ by: 'day', of: 'Amount' }] },
      'destination.partitionBy[0]',
      'has no day',
    ],
  ])('cannot be made: %s', (_, more, where, what) => {
    try {
      outputFields(recipeOf(more), input, ['Id'])
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(InputError)
      const [problem] = (error as InputError).problems
      expect(problem).toMatchObject({ where, what: expect.stringContaining(what) as string })
      expect(problem!.advice).toBeTruthy()
    }
  })
})
