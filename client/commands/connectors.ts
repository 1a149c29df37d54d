/** connectors: what systems this release reaches, and what their connections say in lakeward.yaml. */
import { z } from 'zod'
import type { Connector, Validator } from '../../connectors/connector.ts'
import { connector, connectors } from '../../connectors/index.ts'
import { authSchema } from '../../connectors/installation-auth.ts'
import { jsonSchemaOverride } from '../../connectors/strict.ts'
import { listing, table } from '../terminal/table.ts'
import type { Call, Register } from './call.ts'
import { printJson, withJson } from './call.ts'

interface JsonFlag {
  json?: boolean
}

/** A key that a person writes. */
export interface Key {
  name: string
  required: boolean
  about: string
  default?: unknown
  values?: unknown[]
}

export interface ConnectorAbout {
  name: string
  title: string
  /** `source`, `lake`, `table`, `records`, `events`, `notify` */
  canBe: string[]
  /** Below `connections.<name>`. */
  settings: Key[]
  /** Kinds of login; empty: none is needed. */
  auth: { type: string; fields: Key[] }[]
  /** Below `source.options` of a flow. */
  options: Key[]
  limits: { name: string; parallel: number | null; share: boolean }[]
}

export function addConnectorsCommand(register: Register): void {
  register<JsonFlag>({
    usage: 'connectors [name]',
    about: 'What systems can be reached; with a name, what its connections and flows say.',
    examples: ['lakeward connectors', 'lakeward connectors salesforce', 'lakeward connectors --json'],
    options: withJson,
    work: show,
  })
}

async function show(call: Call, { json }: JsonFlag, name?: string): Promise<void> {
  if (name !== undefined) {
    const about = aboutOf(await connector(name))
    return json ? printJson(call, about) : showOne(call, about)
  }
  const all = Object.values(await connectors()).map(aboutOf)
  if (json) return printJson(call, all)
  const columns = [{ title: 'CONNECTOR' }, { title: 'CAN BE' }, { title: 'LOGIN', most: 60 }, { title: '' }]
  const rows = all.map((one) => [
    one.name,
    one.canBe.join(', '),
    one.auth.map(({ type }) => type).join(', ') || 'none',
    one.title,
  ])
  call.view.out(table(columns, rows, call.view.columns))
}

function showOne({ view }: Call, about: ConnectorAbout): void {
  view.out(`${view.color(about.name, 'bold')}: ${about.title}`)
  view.out(`can be: ${about.canBe.join(', ')}`)
  const keys = (title: string, all: Key[]): void => {
    if (all.length > 0) view.out(`\n${title}\n${indented(listing(all.map(line)))}`)
  }
  keys('settings of a connection', about.settings)
  if (about.auth.length === 0) view.out('\nno login is needed')
  for (const { type, fields } of about.auth) keys(`auth of type ${type}`, fields)
  keys('source.options of a flow', about.options)
  if (about.limits.length === 0) return
  const limits = about.limits.map(({ name, parallel, share }): [string, string] => [
    name,
    [
      parallel === null ? '' : `${parallel} in flight unless limits.parallel says otherwise`,
      share ? 'limits.dailyCalls may be a share of it: "50%"' : '',
    ]
      .filter(Boolean)
      .join('; '),
  ])
  view.out(`\nlimits\n${indented(listing(limits))}`)
}

function line({ name, required, about, values, default: usual }: Key): [string, string] {
  const given = usual === undefined ? '' : ` (default ${typeof usual === 'string' ? usual : JSON.stringify(usual)})`
  const one = values ? `: ${values.join(' | ')}` : ''
  return [`${name}${required ? ' !' : ''}`, `${about}${one}${given}`]
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ')

export function aboutOf(found: Connector): ConnectorAbout {
  const { name, title, settings, auth, source, destination, events, limits } = found
  const kinds = {
    source,
    lake: destination && 'lake' in destination,
    table: destination?.table,
    records: destination?.record,
    events,
    notify: 'notify' in found,
  }
  return {
    name,
    title,
    canBe: Object.entries(kinds).flatMap(([kind, is]) => (is ? kind : [])),
    settings: keysOf(settings),
    auth: auth.map((kind) => ({
      type: kind.type,
      fields: keysOf(authSchema([kind])).filter((field) => field.name !== 'type'),
    })),
    options: source ? keysOf(source.options) : [],
    limits: limits.map((limit) => ({
      name: limit.name,
      parallel: limit.parallel ?? null,
      share: limit.daily === true,
    })),
  }
}

interface Described {
  properties?: Record<string, { description?: string; default?: unknown; enum?: unknown[] }>
  required?: string[]
  anyOf?: Described[]
}

/** The keys of a mapping, as its own schema tells them; the ones that must be there first. */
function keysOf(schema: Validator): Key[] {
  if (!(schema instanceof z.ZodType)) return []
  const made = z.toJSONSchema(schema, {
    io: 'input',
    override: jsonSchemaOverride,
    unrepresentable: 'any',
  }) as Described
  const { properties = {}, required = [] } = made.anyOf?.[0] ?? made
  return Object.entries(properties)
    .map(([name, { description = '', default: usual, enum: values }]): Key => ({
      name,
      required: required.includes(name),
      about: description,
      ...(usual === undefined ? {} : { default: usual }),
      ...(values ? { values } : {}),
    }))
    .toSorted((a, b) => Number(b.required) - Number(a.required))
}
