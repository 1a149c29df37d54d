/**
 * The flow document: its grammar, what it means, and what is wrong with one.
 *
 * Laws
 * - Strict: what is not understood is refused. Everything that is wrong is said at once.
 * - The document as written, as JSON, is what Temporal holds; a parsed `Flow` is made from it wherever one is needed,
 *   and is never stored.
 * - It holds no secrets and no references to them.
 */
import { z } from 'zod'
import { type Allowance, allowanceOf, maxQuarantined } from './allowance.ts'
import type { Connector, JsonObject } from './connector.ts'
import type { Document } from './document.ts'
import { InputError } from './errors.ts'
import { completeDestination, destination, type DestinationSpec } from './flow-destination.ts'
import { optionProblems } from './flow-options.ts'
import { ruleProblems } from './flow-rules.ts'
import { completeNotify, notify, type NotifySpec } from './flow-notify.ts'
import { completeRun, run, type RunOptions } from './flow-run.ts'
import { completeSource, type FlowSource, source } from './flow-source.ts'
import { onInvalid, type OnInvalid } from './flow-steps.ts'
import { targetProblems } from './flow-target.ts'
import { completeTrigger, type Trigger, trigger } from './flow-trigger.ts'
import { name } from './flow-values.ts'
import { choice, examine, flag, isTable, problemsOf, strict, text, words, type Found } from './strict.ts'

export type { DestinationSpec, Partition } from './flow-destination.ts'
export type { NotifySpec } from './flow-notify.ts'
export type { RunOptions } from './flow-run.ts'
export type { FlowObject, FlowSource } from './flow-source.ts'
export type { Mask, OnInvalid, Operator, PlainValue, Rule, Step } from './flow-steps.ts'
export type { Batching, EventTrigger, Trigger } from './flow-trigger.ts'

export interface Flow {
  version: 1
  name: string
  description?: string
  source: FlowSource
  destination: DestinationSpec
  onDrift: 'evolve' | 'ignore' | 'fail'
  onInvalid: OnInvalid
  /** More quarantined records of an object than these fail its run; absent: any number. */
  maxQuarantined?: Allowance
  trigger: Trigger
  /** Who is told how runs go. */
  notify: NotifySpec[]
  /** Absent: applying the flow leaves it paused or not, as it is. */
  paused?: boolean
  tags: Record<string, string>
  taskQueue: string
  run: RunOptions
}

/** Largest definition, as JSON in UTF-8: it lies in Temporal as one argument. */
export const FLOW_BYTES = 256 * 1024

const version = z
  .literal(1, {
    error: (issue) =>
      issue.input === undefined
        ? words("'version' is missing", 'write version: 1')
        : words('is not a version that this release reads', 'write version: 1'),
  })
  .describe('Version of this format: 1')

export const flowSchema = strict('a flow', {
  version,
  name: name('Names the flow in Temporal, in folders and file names'),
  description: z.string().describe('For people').optional(),
  source,
  destination,
  onDrift: choice('What becomes of fields that appear or vanish at the source', [
    'evolve',
    'ignore',
    'fail',
  ]).optional(),
  onInvalid: onInvalid.optional(),
  maxQuarantined: maxQuarantined.optional(),
  trigger: trigger.optional(),
  notify: notify.optional(),
  paused: flag('Whether the flow is paused; absent: apply leaves that as it is').optional(),
  tags: z.record(text('A tag'), z.string().describe('Text')).describe('Tags for people and programs').optional(),
  taskQueue: text('Temporal task queue; default lakeward').optional(),
  run: run.optional(),
}).describe('A flow of Lakeward')

/**
 * The flow that a document says, with every default filled in.
 * @param where the file it was read from, for the lines of problems
 * @throws InputError with every problem found
 */
export function parseFlow(input: unknown, where?: Document): Flow {
  if (!isTable(input)) {
    const kinds = Array.isArray(input) ? 'a list' : 'a single value'
    const what = input === null || input === undefined ? 'is empty' : `is ${kinds}, not a mapping`
    throw asInput([{ path: [], what, advice: 'a flow begins with `version: 1` and `name: …`' }], where)
  }
  const read = examine(flowSchema, input)
  const ruled = ruleProblems(input)
  if ('found' in read) throw asInput([...read.found, ...ruled], where)
  if (ruled.length > 0) throw asInput(ruled, where)
  const written = read.value
  const invalid = written.onInvalid ?? 'quarantine'
  return {
    version: 1,
    name: written.name,
    ...(written.description !== undefined && { description: written.description }),
    source: completeSource(written.source, invalid, written.trigger?.event !== undefined),
    destination: completeDestination(written.destination),
    onDrift: written.onDrift ?? 'evolve',
    onInvalid: invalid,
    ...(written.maxQuarantined !== undefined && { maxQuarantined: allowanceOf(written.maxQuarantined) }),
    trigger: completeTrigger(written.trigger),
    notify: completeNotify(written.notify),
    ...(written.paused !== undefined && { paused: written.paused }),
    tags: written.tags ?? {},
    taskQueue: written.taskQueue ?? 'lakeward',
    run: completeRun(written.run),
  }
}

/** @throws InputError where the flow asks of its destination what that is not */
export function checkTarget(flow: Flow, connector: Connector, where?: Document): void {
  const found = targetProblems({ destination: flow.destination, objects: flow.source.objects }, connector)
  if (found.length > 0) throw asInput(found, where)
}

/**
 * The flow with the options that its source connector knows, as the connector parsed them.
 * @throws InputError where an option is wrong, or the connector is no source
 */
export function checkOptions(flow: Flow, connector: Connector, where?: Document): Flow {
  const checked = optionProblems(flow.source, connector)
  if ('found' in checked) throw asInput(checked.found, where)
  return { ...flow, source: checked.value }
}

/** The document as Temporal holds it: JSON, keys in the order of the file, no comments. */
export function canonicalFlow(document: Document): JsonObject {
  if (!isTable(document.value)) parseFlow(document.value, document)
  return document.value as JsonObject
}

/** @throws InputError above 256 KB */
export function flowSizeLimit(flow: JsonObject, where?: Document): void {
  const bytes = Buffer.byteLength(JSON.stringify(flow))
  if (bytes <= FLOW_BYTES) return
  const what = `the flow has ${Math.ceil(bytes / 1024)} KB as JSON; Temporal takes ${FLOW_BYTES / 1024} KB`
  throw asInput([{ path: [], what, advice: 'split its objects over several flows' }], where)
}

const asInput = (found: Found[], where?: Document): InputError =>
  new InputError(problemsOf(found, 'flow', where && ((path) => where.at(path))))
