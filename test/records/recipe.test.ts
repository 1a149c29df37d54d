import { describe, expect, it } from 'vitest'
import { InputError } from '../../connectors/errors.ts'
import { InvalidRecord, compileRecipe, neededFields, outputFields } from '../../connectors/records/recipe.ts'
import type { Recipe, Step } from '../../connectors/records/recipe.ts'
import { key, recipeOf, run } from './recipes.ts'
import type { Types } from './recipes.ts'
import { decodedRows, fieldsOf, textRows } from './tables.ts'

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
