/** objects, fields: what a source has, read on this machine with its lakeward.yaml. */
import type { JsonObject, ObjectInfo } from '../../connectors/connector.ts'
import { stringify } from 'yaml'
import { InputError } from '../../connectors/errors.ts'
import { isPattern, matches, some } from '../../connectors/flow-patterns.ts'
import { counted } from '../terminal/numbers.ts'
import { table } from '../terminal/table.ts'
import type { Call, Register } from './call.ts'
import { printJson, withJson } from './call.ts'
import { listObjects, withNearest, withSource } from './local.ts'

interface JsonFlag {
  json?: boolean
}

export function addSourceCommands(register: Register): void {
  register<JsonFlag & { parent?: string; match?: string }>({
    usage: 'objects <connection> [pattern]',
    about: 'What a connection offers to read; with a pattern, what it would take in a flow.',
    examples: [
      'lakeward objects crm',
      "lakeward objects crm 'Contact*'",
      'lakeward objects crm --match contact --json',
    ],
    options: (command) =>
      withJson(command)
        .option('--match <text>', 'only objects with this text in their name or label')
        .option('--parent <object>', 'objects below another one'),
    work: objects,
  })
  register<JsonFlag>({
    usage: 'fields <connection> <object>',
    about: 'Fields of an object: names for flows, and types as they will be in the lake. For files: a guess to paste.',
    examples: [
      'lakeward fields crm Account',
      'lakeward fields crm Account --json',
      "lakeward fields inbox 'orders/*.csv'",
    ],
    options: withJson,
    work: fields,
  })
}

async function objects(
  call: Call,
  { json, parent, match }: JsonFlag & { parent?: string; match?: string },
  connection: string,
  pattern?: string,
): Promise<number> {
  return withSource(call, connection, async (local) => {
    const wanted = match?.toLowerCase()
    const fits = ({ name, label }: ObjectInfo): boolean =>
      (pattern === undefined || matches(pattern, name)) &&
      (wanted === undefined || `${name}\n${label ?? ''}`.toLowerCase().includes(wanted))
    const found = (await listObjects(local.source, local.session, parent)).filter(fits)
    if (json) return printJson(call, found)
    const columns = [{ title: 'OBJECT' }, { title: 'LABEL', most: 50 }, { title: '' }]
    const rows = found.map(({ name, label, unreadable, parent: above }) => [
      name,
      label ?? '',
      unreadable ? `cannot be read: ${unreadable}` : above ? 'has objects below it' : '',
    ])
    if (rows.length > 0) call.view.out(table(columns, rows, call.view.columns))
    call.view.say(counted(found.length, 'object'))
  })
}

async function fields(call: Call, { json }: JsonFlag, connection: string, object: string): Promise<number> {
  return withSource(call, connection, async (local) => {
    const { source, session } = local
    if (source.files) return proposeFiles(call, object, await source.files.sample(session, object), json)
    if (isPattern(object)) throw onePlease(object, connection, await listObjects(source, session))
    const schema = await withNearest(local, object, () => source.describe(session, object, source.options.parse({})))
    if (json) return printJson(call, schema)
    const columns = [
      { title: 'FIELD' },
      { title: 'TYPE' },
      { title: 'NULL' },
      { title: 'AT THE SOURCE', most: 40 },
      { title: 'LABEL', most: 50 },
    ]
    const rows = schema.fields.map((field) => [
      field.name,
      field.type,
      field.nullable ? 'yes' : 'no',
      field.sourceType ?? '',
      field.label ?? '',
    ])
    call.view.out(table(columns, rows, call.view.columns))
    const { keys, cursors } = schema
    call.view.say(
      [
        counted(rows.length, 'field'),
        keys.length > 0 ? `key ${keys.join(', ')}` : 'no key',
        cursors.length > 0 ? `incremental by ${cursors.join(' or ')}` : 'full reads only',
        schema.deletes ? 'deleted records can be read' : 'deleted records are not shown',
      ].join('; '),
    )
  })
}

/** Files do not say what their columns are: what a flow could say, to be read and pasted. */
function proposeFiles(call: Call, pattern: string, sampled: JsonObject, json?: boolean): void {
  if (json) return printJson(call, sampled)
  const [folder = 'files'] = /[A-Za-z0-9][^/*.]*(?=\/)/.exec(pattern) ?? []
  const lines = stringify([{ object: pattern, into: folder, ...sampled }])
    .trimEnd()
    .split('\n')
  call.view.out(`  objects:\n${lines.map((line) => `    ${line}`).join('\n')}`)
  call.view.say(
    'Guessed from the newest files: read it, mend it, and paste it into the source of a flow. What stands there holds.',
  )
}

function onePlease(pattern: string, connection: string, listed: ObjectInfo[]): InputError {
  const names = listed.flatMap(({ name }) => (matches(pattern, name) ? name : []))
  const what = names.length > 0 ? `${pattern} matches ${some(names)}` : `no object matches ${pattern}`
  return new InputError([
    { where: `connection ${connection}`, what, advice: 'Fields are those of one object: name it.' },
  ])
}
