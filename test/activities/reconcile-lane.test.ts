/** Flows that are edited between runs of one lane, and sources that change: what goes on, and what is refused. */
import { describe, expect, it } from 'vitest'
import type { Field, ObjectSchema } from '../../connectors/connector.ts'
import { parseFlow } from '../../connectors/flow.ts'
import { emptyState } from '../../connectors/lake/lane-state.ts'
import type { LaneState } from '../../connectors/lake/protocol.ts'
import { DriftError } from '../../connectors/records/drift.ts'
import { OP_COLUMN } from '../../connectors/records/recipe.ts'
import { dataFolder } from '../../activities/recipe.ts'
import { reconcileLane } from '../../activities/reconcile-lane.ts'
import type { ReconciledLane } from '../../activities/reconcile-lane.ts'

type Members = { [key: string]: unknown }
/** What a flow has besides the least: members of the object, the source, the destination and the flow itself. */
interface Edit {
  object?: Members
  source?: Members
  destination?: Members
  flow?: Members
  run?: Members
}

function laneOf({ object, source, destination, flow, run }: Edit) {
  const parsed = parseFlow({
    version: 1,
    name: 'daily',
    source: { connection: 'crm', objects: [{ object: 'Account', ...object }], ...source },
    destination: { connection: 'lake', ...destination },
    ...flow,
    ...(run ? { run } : {}),
  })
  return { flow: parsed, object: parsed.source.objects[0]! }
}

const field = (name: string, type: Field['type'] = 'string'): Field => ({ name, type, nullable: true })
const FIELDS = [
  field('Id'),
  field('Name'),
  field('Size', 'int32'),
  field('Price', 'decimal(18,2)'),
  field('Stamp', 'timestamp'),
  field('Made', 'timestamp'),
]
const SCHEMA: ObjectSchema = {
  object: 'Account',
  fields: FIELDS,
  keys: ['Id'],
  cursors: ['Stamp', 'Made'],
  deletes: true,
}

function reconciled(edit: Edit, schema: ObjectSchema = SCHEMA, state: LaneState = emptyState()): ReconciledLane {
  const lane = laneOf(edit)
  return reconcileLane(
    lane,
    schema,
    state,
    { kind: 'lake', folder: dataFolder(lane) },
    { instant: '2026-11-23T00:00:00Z', run: 'r-1-0' },
  )
}

/** The lane as the run of such a flow left it. */
function after(edit: Edit, schema: ObjectSchema = SCHEMA): LaneState {
  const { source, output, recipeHash, shape } = reconciled(edit, schema)
  const kept = { sourceSchema: source, outputSchema: output, recipeHash, shape: { ...shape } }
  return { ...emptyState(), n: 7, watermark: '2026-11-22T00:00:00Z', ...kept }
}

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof DriftError) return `${error.type}: ${error.message}`
    throw error
  }
  throw new Error('it went on')
}

const columns = ({ output }: ReconciledLane): string => output.map(({ name }) => name).join(' ')
const typeOf = ({ output }: ReconciledLane, column: string) => output.find(({ name }) => name === column)?.type
const step = (...transform: Members[]): Edit => ({ object: { transform } })
const to = (destination: Members): Edit => ({ destination })

describe('a changed flow that goes on, and is told', () => {
  it.each<[string, Edit, Edit, RegExp, (now: ReconciledLane) => void]>([
    [
      'keep takes more',
      step({ keep: ['Id', 'Stamp'] }),
      step({ keep: ['Name', 'Id', 'Stamp'] }),
      /its steps are others \(keep changed\)/,
      (now) => expect(columns(now)).toBe(`Id Stamp ${OP_COLUMN} Name`),
    ],
    [
      'drop leaves more',
      step({ drop: ['Name', 'Size'] }),
      step({ drop: ['Size'] }),
      /drop changed/,
      (now) => expect(columns(now)).toBe(`Id Price Stamp Made ${OP_COLUMN} Name`),
    ],
    [
      'a cast to a wider type',
      {},
      step({ cast: { Size: 'int64' } }),
      /cast new/,
      (now) => expect(typeOf(now, 'Size')).toBe('int64'),
    ],
    [
      'a cast to a narrower type: the column stays',
      {},
      step({ cast: { Price: 'int32' } }),
      /cast new/,
      (now) => expect(typeOf(now, 'Price')).toBe('decimal(18,2)'),
    ],
    [
      'hash added',
      {},
      step({ hash: { fields: ['Name'], key: 'pii' } }),
      /hash new.*Earlier files stay as they are; --full/,
      (now) => expect(typeOf(now, 'Name')).toBe('string'),
    ],
    ['hash removed', step({ hash: { fields: ['Name'], key: 'pii' } }), {}, /hash gone/, () => {}],
    [
      'another order of steps',
      step({ cast: { Size: 'int64' } }, { drop: ['Name'] }),
      step({ drop: ['Name'] }, { cast: { Size: 'int64' } }),
      /another order/,
      () => {},
    ],
    ['filter', {}, { object: { where: { Name: { eq: 'x' } } } }, /filter is another/, () => {}],
    ['options', {}, { object: { options: { a: 1 } } }, /options are others/, () => {}],
    [
      'read',
      {},
      { source: { read: 'full' } },
      /read is full and was incremental/,
      (now) => {
        expect(columns(now)).toContain(OP_COLUMN)
        expect(now.includeDeleted).toBe(false)
      },
    ],
    [
      'append to replace',
      to({}),
      { destination: { write: 'replace' }, source: { read: 'full' } },
      /begins anew/,
      () => {},
    ],
    [
      'replace to append',
      { destination: { write: 'replace' }, source: { read: 'full' } },
      to({}),
      /write is append and was replace/,
      (now) => expect(columns(now)).not.toContain(OP_COLUMN),
    ],
  ])('%s', (_, was, is, said, holds) => {
    const now = reconciled(is, SCHEMA, after(was))
    expect(now.drift.join('\n')).toMatch(said)
    expect(now.drift.join('\n')).toContain('since entry 7')
    holds(now)
  })

  it.each<[string, Edit, Edit]>([
    ['nothing', {}, {}],
    [
      'what shapes no column',
      {},
      { source: { settle: '5m', startFrom: '2020-01-01' }, destination: { fileSize: '8MB' } },
    ],
    [
      'a layout without partitions in the same folder',
      { object: { into: 'daily' } },
      { destination: { layout: 'appflow' } },
    ],
    [
      'what is the default',
      {},
      { object: { includeDeleted: true }, source: { read: 'incremental', cursorField: 'Stamp' } },
    ],
    [
      'a filter in another order',
      { object: { where: { Name: { eq: 'x' }, Id: { ne: '1' } } } },
      { object: { where: { Id: { ne: '1' }, Name: { eq: 'x' } } } },
    ],
  ])('%s is not told', (_, was, is) => expect(reconciled(is, SCHEMA, after(was)).drift).toEqual([]))
})

describe('a changed flow that is refused', () => {
  it.each<[string, Edit, Edit, RegExp]>([
    ['keep takes less', {}, step({ keep: ['Id', 'Stamp'] }), /no longer gives 4 columns: Name, Size, Price, Made/],
    ['drop takes more', {}, step({ drop: ['Name'] }), /no longer gives column Name/],
    ['rename', {}, step({ rename: { Name: 'title' } }), /no longer gives column Name/],
    [
      'a cast to a type that does not hold both',
      {},
      step({ cast: { Size: 'string' } }),
      /Size is int32 .* would be string/,
    ],
    ['hash of a column that was no text', {}, step({ hash: { fields: ['Size'], key: 'pii' } }), /Size is int32/],
    ['format', {}, to({ format: 'csv' }), /format is csv and was parquet/],
    [
      'partitionBy',
      to({ partitionBy: ['day(Stamp)'] }),
      to({ partitionBy: ['month(Stamp)'] }),
      /\[month\(Stamp\)\].*\[day/,
    ],
    ['partitionBy added', {}, to({ partitionBy: ['schemaVersion'] }), /\[schemaVersion\].*was no partitions/],
    [
      'layout',
      { object: { into: 'daily' }, destination: { partitionBy: ['day(Stamp)'] } },
      { destination: { partitionBy: ['day(Stamp)'], layout: 'appflow' } },
      /in layout appflow.*in layout lakeward/,
    ],
    ['prefix', {}, to({ prefix: 'raw' }), /the folder is raw\/Account and was Account/],
    ['into', {}, { object: { into: 'accounts' } }, /the folder is accounts/],
    ['cursorField', {}, { source: { cursorField: 'Made' } }, /cursorField is Made and was Stamp/],
    [
      'the object behind an id',
      { object: { id: 'a' } },
      { object: { id: 'a', object: 'Contact', into: 'Account' } },
      /the object is Contact/,
    ],
    ['deletes no longer', {}, { object: { includeDeleted: false } }, /no longer gives column _lakeward_op/],
    [
      'deletes from now on',
      { object: { includeDeleted: false } },
      { object: { includeDeleted: true } },
      /always or never/,
    ],
  ])('%s', (_, was, is, said) => {
    const told = refusal(() => reconciled(is, SCHEMA, after(was)))
    expect(told).toMatch(said)
    expect(told).toMatch(/^FlowChanged: .*--full/)
    const anew = reconciled({ ...is, run: { full: true } }, SCHEMA, after(was))
    expect(anew.output).toEqual(reconciled(is).output)
  })
})

describe('a source that changed', () => {
  it('is told from options that make other types of the same fields', () => {
    const doubles = { ...SCHEMA, fields: FIELDS.map((one) => (one.name === 'Price' ? field('Price', 'float64') : one)) }
    expect(refusal(() => reconciled({}, doubles, after({})))).toMatch(/^DriftRefused: column Price/)
    const edit = { object: { options: { numbers: 'float64' } } }
    expect(refusal(() => reconciled(edit, doubles, after({})))).toMatch(/^FlowChanged: column Price/)
  })

  const without = (...names: string[]): ObjectSchema => ({
    ...SCHEMA,
    fields: FIELDS.filter(({ name }) => !names.includes(name)),
    cursors: SCHEMA.cursors.filter((name) => !names.includes(name)),
  })

  it('the field that told what changed must stay; a better one does not take its place', () => {
    expect(refusal(() => reconciled({}, without('Stamp'), after({})))).toMatch(
      /^DriftRefused: .*Stamp.*vanished.*--full/,
    )
    const better = { ...SCHEMA, fields: [...FIELDS, field('Best', 'timestamp')], cursors: ['Best', 'Stamp'] }
    expect(reconciled({}, better, after({})).cursorField).toBe('Stamp')
    const full = reconciled({ run: { full: true } }, without('Stamp'), after({}))
    expect(full.cursorField).toBeNull()
    expect(full.drift).toEqual([
      'field Stamp has vanished',
      expect.stringMatching(/^The source has changed since entry 7: field Stamp.*begins anew/),
    ])
    expect(
      reconciled({ source: { read: 'full' } }, without('Stamp'), after({ source: { read: 'full' } })).drift,
    ).toHaveLength(1)
  })

  it('keys and cursor under another spelling are the same', () => {
    const fields = FIELDS.map((one) =>
      ['Id', 'Stamp'].includes(one.name) ? field(one.name.toUpperCase(), one.type) : one,
    )
    const respelled = { ...SCHEMA, fields, keys: ['ID'], cursors: ['STAMP', 'Made'] }
    const now = reconciled({}, respelled, after({}))
    expect([now.cursorField, columns(now)]).toEqual(['STAMP', columns(reconciled({}))])
    expect(now.drift).toEqual(['field Id is now spelled ID', 'field Stamp is now spelled STAMP'])
  })

  it('other keys are refused', () => {
    expect(refusal(() => reconciled({}, { ...SCHEMA, keys: ['Name'] }, after({})))).toMatch(
      /^DriftRefused: .*identified by Name, and were by Id.*--full/,
    )
  })

  it('a field that vanished and came back is told each time, and its steps go on', () => {
    const edit = step({ mask: { fields: ['Name'] } }, { drop: ['Size'] })
    const gone = reconciled(edit, without('Name', 'Size'), after(edit))
    expect(columns(gone)).toBe(columns(reconciled(edit)))
    expect(gone.drift).toEqual(['field Name has vanished', 'field Size has vanished'])
    const state = { ...after(edit), sourceSchema: gone.source, outputSchema: gone.output }
    expect(reconciled(edit, without('Name', 'Size'), state).drift).toEqual([])
    expect(reconciled(edit, SCHEMA, state).drift).toEqual(['field Name is back', 'field Size is back'])
  })

  it.each<[string, Edit]>([
    ['a filter', { object: { where: { Name: { eq: 'x' } } } }],
    ['a notNull', step({ rename: { Name: 'title' } }, { validate: { fields: ['title'], rule: 'notNull' } })],
  ])('%s on a field that vanished would leave all records out, and is refused', (_, edit) => {
    for (const onDrift of ['evolve', 'ignore']) {
      const now = { ...edit, flow: { onDrift } }
      expect(refusal(() => reconciled(now, without('Name'), after(now)))).toMatch(/^DriftRefused: .*Name.*no record/)
    }
    const harmless = step({ validate: { fields: ['Size'], rule: 'notZero' } })
    expect(reconciled(harmless, without('Size'), after(harmless)).drift).toEqual(['field Size has vanished'])
  })

  it('deletes that are shown from now on, or no longer, leave the column as it is', () => {
    const hidden = { ...SCHEMA, deletes: false }
    expect(reconciled({}, SCHEMA, after({}, hidden))).toMatchObject({ includeDeleted: false, recipe: { op: false } })
    expect(reconciled({}, hidden, after({}))).toMatchObject({ includeDeleted: false, recipe: { op: true } })
  })

  it('--full accepts everything, and tells it', () => {
    const fail = { flow: { onDrift: 'fail' } }
    expect(refusal(() => reconciled(fail, without('Name'), after(fail)))).toMatch(/^DriftFound: .*Name has vanished/)
    const now = reconciled({ ...fail, run: { full: true } }, without('Name'), after(fail))
    expect(columns(now)).not.toContain('Name')
    expect(now.drift).toEqual(['field Name has vanished'])
  })
})
