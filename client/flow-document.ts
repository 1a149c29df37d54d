/** The flow document as it lies in Temporal: JSON as written, read here without judging it again. */
import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../connectors/connector.ts'
import type { Document } from '../connectors/document.ts'
import { InputError } from '../connectors/errors.ts'
import { flowSizeLimit, parseFlow } from '../connectors/flow.ts'

/** One definition, the single argument of `runFlow`; `parseFlow` says what is in it. */
export type FlowDocument = JsonObject

/** Checks a document before it goes to Temporal: its grammar, its size. `where` is the file it was read from. */
export function flowDocument(input: unknown, where?: Document): FlowDocument {
  parseFlow(input, where)
  flowSizeLimit(input as FlowDocument, where)
  return input as FlowDocument
}

/** @throws InputError where the document has options of one run: applied, every run would have them. */
export function withoutRun(document: FlowDocument, where: string): void {
  if (document.run === undefined) return
  throw new InputError([
    {
      where,
      what: 'options of one run cannot be applied: every run of the flow would have them',
      advice: `Remove \`run\`, and give them to \`lakeward run ${flowName(document)}\` as flags.`,
    },
  ])
}

/** What is read of a document here. */
interface Written {
  name: string
  description?: string
  paused?: boolean
  taskQueue?: string
  source: { connection: string; read?: string; objects: (string | { object: string; id?: string })[] }
  destination: { connection: string; prefix?: string; format?: string; write?: string }
  trigger?: {
    cron?: string
    every?: string
    event?: string
    batch?: { every?: string; rows?: number }
    timezone?: string
    start?: string
    end?: string
    catchUp?: string
  }
}

export function written(document: FlowDocument): Written {
  return document as unknown as Written
}

export function flowName(document: FlowDocument): string {
  return written(document).name
}

/** As written: ids, and patterns where one stands for many. */
export function objectIds(document: FlowDocument): string[] {
  return written(document).source.objects.map((object) =>
    typeof object === 'string' ? object : (object.id ?? object.object),
  )
}

/** Events feed it, through its listener. */
export function isFedByEvents(document: FlowDocument): boolean {
  return written(document).trigger?.event !== undefined
}

/** When it runs, in words: `every 1h`, `cron 0 2 * * *, Europe/Berlin`, `webhook, batches of 10s`, `on demand`. */
export function triggerText(document: FlowDocument): string {
  const { cron, every, event, batch, timezone = 'UTC', start, end } = written(document).trigger ?? {}
  if (event !== undefined) return `${event}, batches of ${batch?.every ?? '10s'}`
  if (cron === undefined && every === undefined) return 'on demand'
  const often = cron === undefined ? `every ${every}` : `cron ${cron}, ${timezone}`
  return [often, start && `from ${start}`, end && `until ${end}`].filter(Boolean).join(', ')
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
