/** The flow document as it lies in Temporal: JSON as written, read here without judging it again. */
import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../connectors/connector.ts'
import { InputError } from '../connectors/errors.ts'
import { parseFlow } from '../connectors/flow.ts'

/** One definition, the single argument of `runFlow`; `parseFlow` says what is in it. */
export type FlowDocument = JsonObject

/** Larger definitions are refused: they lie in the history of every run and of every lane. */
export const LARGEST = 256 * 1024

/** Checks a document and gives it back in its canonical form, keys sorted. */
export function flowDocument(input: unknown): FlowDocument {
  parseFlow(input)
  const document = canonical(input as Json) as FlowDocument
  const size = Buffer.byteLength(JSON.stringify(document))
  if (size > LARGEST) {
    throw new InputError([
      {
        where: flowName(document),
        what: `the definition has ${Math.ceil(size / 1024)} KB; at most ${LARGEST / 1024} KB are allowed`,
        advice: 'Split it into several flows, or shorten long lists of values.',
      },
    ])
  }
  return document
}

export function flowName(document: FlowDocument): string {
  return String(document.name)
}

export function objectIds(document: FlowDocument): string[] {
  const { objects } = (document.source ?? {}) as { objects?: Json[] }
  return (objects ?? []).map((object) => {
    if (typeof object === 'string') return object
    const { id, object: name } = object as JsonObject
    return String(id ?? name)
  })
}

/** When it runs, in words: `every 1h`, `cron 0 2 * * *, Europe/Berlin`, `on demand`. */
export function triggerText(document: FlowDocument): string {
  const trigger = (document.trigger ?? {}) as JsonObject
  if (trigger.cron !== undefined) return `cron ${String(trigger.cron)}, ${String(trigger.timezone ?? 'UTC')}`
  if (trigger.every !== undefined) return `every ${String(trigger.every)}`
  return 'on demand'
}

export function digest(value: Json): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(value)))
    .digest('hex')
}

/** The same value with the keys of every map in order: one text for one meaning. */
export function canonical(value: Json): Json {
  if (Array.isArray(value)) return value.map(canonical)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, member]) => [key, canonical(member)]))
}
