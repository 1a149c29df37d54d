/**
 * preview: the first records of a flow as they would be written, and those that would be set aside. Read on this
 * shown and forgotten: nothing is staged, no watermark moves.
 */
import type { KeyObject } from 'node:crypto'
import type { Field } from '../../connectors/connector.ts'
import { InputError } from '../../connectors/errors.ts'
import type { Flow, FlowObject } from '../../connectors/flow.ts'
import { checkOptions } from '../../connectors/flow.ts'
import { expandPatterns, isForMany, some } from '../../connectors/flow-patterns.ts'
import type { TakenObject } from '../../connectors/flow-patterns.ts'
import { meant } from '../../connectors/nearest.ts'
import { textReader } from '../../connectors/records/cells.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import { jsonText } from '../../connectors/records/jsonl.ts'
import type { Reject } from '../../connectors/records/quarantine.ts'
import { compileRecipe, keyNames, outputFields } from '../../connectors/records/recipe.ts'
import { printable } from '../../connectors/printable.ts'
import { readFlow } from '../flow-files.ts'
import { count, counted } from '../terminal/numbers.ts'
import { listing, table, width } from '../terminal/table.ts'
import type { Call, Register } from './call.ts'
import { withJson } from './call.ts'
import type { Local } from './local.ts'
import { listObjects, withNearest, withSource } from './local.ts'
import { whole } from './whole.ts'

interface PreviewFlags {
  json?: boolean
  rows: string
  object?: string
}

export interface Preview {
  object: string
  fields: Field[]
  /** Per row, a text per field; null where there is no value. */
  cells: (string | null)[][]
  /** The same rows as JSON text, all digits kept. */
  lines: string[]
  rejects: Reject[]
  read: number
  filtered: number
  dropped: number
  notes: string[]
  /** The source has no more than what was read. */
  all: boolean
}

/** Where filters let little through, this much is looked at. */
const MOST_PAGES = 25
const MOST_READ = 20_000
/** Of the objects that patterns take. */
const MOST_TAKEN = 3

export function addPreviewCommand(register: Register): void {
  register<PreviewFlags>({
    usage: 'preview <flow>',
    about: 'The first records of a flow file as they would be written; nothing is.',
    examples: ['lakeward preview flows/sample.yaml', 'lakeward preview flows/sample.yaml --object Account --rows 50'],
    options: (command) =>
      withJson(command)
        .option('--rows <n>', 'rows of each object', '10')
        .option('--object <id>', 'only this object of the flow'),
    work: preview,
  })
}

async function preview(call: Call, { json, rows, object }: PreviewFlags, path: string): Promise<number> {
  const most = whole('--rows', rows, 1, 10_000)
  const { flow, file } = await readFlow(path)
  return withSource(call, flow.source.connection, async (local) => {
    const checked = checkOptions(flow, local.connector, file)
    const { objects } = checked.source
    const listed = objects.some(isForMany) ? await listObjects(local.source, local.session) : []
    const { objects: all, notes } = expandPatterns(objects, listed)
    for (const note of notes) call.view.say(note)
    const shown: Preview[] = []
    for (const one of chosen(all, object, call)) {
      const found = await previewObject(local, checked, one, most)
      shown.push(found)
      if (!json) show(call, found)
    }
    if (json) call.view.out(asJson(flow.name, shown))
  })
}

function chosen(all: TakenObject[], object: string | undefined, { view }: Call): TakenObject[] {
  const ids = all.map(({ id }) => id)
  const wanted = all.filter(({ id }) => id === object)
  if (wanted.length > 0) return wanted
  if (object === undefined) {
    const taken = all.filter(({ pattern }) => pattern !== undefined).slice(MOST_TAKEN)
    if (taken.length > 0) view.say(`not shown: ${some(taken.map(({ id }) => id))}; --object shows one of them`)
    return all.filter((one) => !taken.includes(one))
  }
  throw new InputError([
    {
      where: '--object',
      what: `the flow has no object ${object}${meant(object, ids)}`,
      advice: `It has: ${some(ids)}.`,
    },
  ])
}

async function previewObject(local: Local, flow: Flow, object: FlowObject, most: number): Promise<Preview> {
  const { source, session } = local
  const schema = await withNearest(local, object.object, () => source.describe(session, object.object, object.options))
  const { showsDeletes, storedRecipe } = await import('../../activities/recipe.ts')
  const { endOf } = await import('../../activities/place.ts')
  const place = { kind: await endOf(local.installation, flow), folder: '' }
  const recipe = storedRecipe({ flow, object }, schema, place, new Date().toISOString(), 'preview')
  const fields = outputFields(recipe, schema.fields, [], `${object.id} `)
  const keys = new Map<string, KeyObject>()
  for (const name of keyNames(recipe)) keys.set(name, await local.key(name))
  const pipeline = compileRecipe(recipe, schema.fields, fields, (name) => keys.get(name) as KeyObject)
  const plan = await source.plan(session, {
    object: object.object,
    options: object.options,
    schema,
    fields: schema.fields.map(({ name }) => name),
    filter: object.where,
    mode: 'full',
    includeDeleted: showsDeletes({ flow, object }, schema),
    cursorField: object.cursorField ?? null,
    state: null,
    ...(object.startFrom === undefined ? {} : { from: object.startFrom }),
    ceiling: null,
    settleMs: object.settleMs ?? source.settleMs ?? 0,
    parallel: 1,
    most: MOST_READ,
  })
  const found: Preview = {
    object: object.id,
    fields,
    cells: [],
    lines: [],
    rejects: [],
    read: 0,
    filtered: 0,
    dropped: 0,
    notes: plan.notes,
    all: false,
  }
  const cells = fields.map(({ type }) => textReader(type))
  const line = jsonText(fields)
  let pages = 0
  for (const range of plan.ranges) {
    for await (const page of source.read(session, plan, range, null)) {
      for (const decoded of decodePage(page, schema.fields)) {
        const { batch, read, filtered, dropped, rejects } = pipeline.run(decoded)
        found.read += read
        found.filtered += filtered
        found.dropped += dropped
        found.rejects.push(...rejects)
        for (let row = 0; row < batch.rows && found.lines.length < most; row++) {
          found.cells.push(cells.map((cell, at) => cell(batch.columns[at]!, row)))
          found.lines.push(line(batch, row))
        }
      }
      if (found.lines.length >= most || ++pages >= MOST_PAGES) return found
      if (page.next === null) break
    }
  }
  found.all = true
  return found
}

function show({ view }: Call, found: Preview): void {
  const { object, fields, rejects, read, filtered, dropped } = found
  view.say(view.color(object, 'bold'))
  const rows = found.cells.map((row) => row.map((cell) => (cell === null ? '' : cell === '' ? '""' : cell)))
  if (rows.length > 0) view.out(records(fields, rows, view.columns))
  const parts = [`${counted(rows.length, 'row')} of ${count(read)} read`]
  if (found.all) parts.push('that is all there is')
  if (filtered > 0) parts.push(`${count(filtered)} filtered out`)
  if (dropped > 0) parts.push(`${count(dropped)} dropped`)
  if (rejects.length > 0) parts.push(`${count(rejects.length)} set aside (quarantine)`)
  view.say(parts.join('; '))
  for (const reject of rejects.slice(0, 5)) {
    view.say(printable(`  set aside: ${reject.field}, ${reject.rule}: ${reject.reason}`))
    view.say(printable(`    ${reject.row}`.slice(0, Math.min(view.columns, 500))))
  }
  if (rejects.length > 5) view.say(`  and ${count(rejects.length - 5)} more`)
  for (const note of found.notes) view.say(printable(`  ${note}`))
}

/** A table where it fits; else record by record, a line per field. */
function records(fields: Field[], rows: string[][], most: number): string {
  const columns = fields.map(({ name, type }) => ({ title: name, most: 40, align: aligned(type) }))
  const text = table(columns, rows)
  if (text.split('\n').every((line) => width(line) <= most)) return text
  return rows.map((row) => listing(fields.map(({ name }, at) => [name, printable(row[at] as string)]))).join('\n\n')
}

function aligned(type: Field['type']): 'left' | 'right' {
  return /^(int|float|decimal)/.test(type) ? 'right' : 'left'
}

/** Rows are put in as they are written to files: a number keeps digits that a double would lose. */
function asJson(flow: string, shown: Preview[]): string {
  const objects = shown.map(({ object, fields, lines, rejects, read, filtered, dropped, notes, all }) => {
    const aside = rejects.map(({ row, field, rule, reason }) => {
      return `${JSON.stringify({ field, rule, reason }).slice(0, -1)},"record":${row}}`
    })
    const head = JSON.stringify({ object, read, filtered, dropped, all, notes, fields }).slice(0, -1)
    return `${head},"rows":[${lines.map((line) => `\n${line}`).join(',')}],"rejects":[${aside.join(',\n')}]}`
  })
  return `{"flow":${JSON.stringify(flow)},"objects":[${objects.join(',\n')}]}`
}
