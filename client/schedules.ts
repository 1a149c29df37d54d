/**
 * The flow store: one Temporal Schedule per flow, whose action starts `runFlow` with the whole definition.
 *
 * Laws
 * - A flow on demand, or fed by events, is the calendar of 2099-01-01: a schedule with nothing to wait for is deleted
 *   after a week.
 * - Nothing that changes is in the schedule's memo, which an update cannot write; `action.memo` has the fingerprint
 *   and the set.
 * - What a flow is, is read from its definition alone; the schedule adds whether it is paused, and the note.
 * - What `compareFlow` finds is what `applyFlow` changes, and nothing else.
 */
import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client'
import type { Client, ScheduleDescription, ScheduleOptions, ScheduleSpec } from '@temporalio/client'
import type { SearchAttributePair } from '@temporalio/common'
import { InputError } from '../connectors/errors.ts'
import type { Trigger } from '../connectors/flow.ts'
import { parseFlow } from '../connectors/flow.ts'
import { ClientError } from './client-error.ts'
import { refused } from './connect.ts'
import type { FlowDocument } from './flow-document.ts'
import type { Difference } from './differences.ts'
import { differences } from './differences.ts'
import { digest, flowName, written } from './flow-document.ts'
import { RUN_FLOW, runIdBase, scheduleId } from './flow-ids.ts'
import { nearest } from '../connectors/nearest.ts'

export interface StoredFlow {
  name: string
  document: FlowDocument
  paused: boolean
  /** What was said when it was paused or started again. */
  note: string
  /** Empty for a flow on demand. */
  nextTimes: Date[]
  taskQueue: string
  fingerprint: string | null
  /** The set of flows it was applied with; null: with none. */
  set: string | null
  createdAt: Date
  updatedAt: Date | null
  /** Times that passed while no server or worker was there to use them. */
  missed: number
  /** Times that passed while the run before still went on. */
  skipped: number
  runningIds: string[]
}

export interface Applied {
  name: string
  change: 'created' | 'updated' | 'unchanged'
  paused: boolean
  nextTimes: Date[]
}

/** Of a schedule's shape here; a new one makes `apply` rewrite what older versions wrote. */
const SHAPE = 1

export interface ApplyOptions {
  /** Marks the flow as one of this set; absent: it stays in the one it is in. */
  set?: string
}

interface Wanted extends ApplyOptions {
  document: FlowDocument
  attributes: SearchAttributePair[]
}

export async function applyFlow(client: Client, wanted: Wanted): Promise<Applied> {
  const { document } = wanted
  const name = flowName(document)
  const { paused } = written(document)
  let change: Applied['change'] = 'unchanged'
  try {
    const before = await readFlow(client, name)
    const schedule = scheduleOf(wanted, before)
    if (!before) {
      change = 'created'
      const state = paused ? { paused, note: 'paused by its definition' } : {}
      await client.schedule.create({ ...schedule, state })
    } else if (compareFlow(before, wanted).length > 0) {
      change = 'updated'
      await client.schedule.getHandle(scheduleId(name)).update(({ state }) => {
        const turned = paused !== undefined && paused !== state.paused
        return {
          ...schedule,
          state: {
            ...state,
            ...(turned ? { paused, note: paused ? 'paused by its definition' : 'started by its definition' } : {}),
          },
        }
      })
    }
  } catch (error) {
    // Somebody else created it in between: apply again, to what is there now.
    if (error instanceof ScheduleAlreadyRunning) return applyFlow(client, wanted)
    throw wrongSpec(error, name) ?? error
  }
  const after = await readFlow(client, name)
  return { name, change, paused: after?.paused ?? false, nextTimes: after?.nextTimes ?? [] }
}

/** What applying would change of a stored flow: members of its definition, and `schedule.…` for the rest. */
export function compareFlow(before: StoredFlow, wanted: Wanted): Difference[] {
  const { document, set } = wanted
  const { paused } = written(document)
  const found = differences(before.document, document)
  // Its own words say nothing new, but it lies there as another version, or another tool, wrote it.
  if (found.length === 0 && before.fingerprint !== fingerprintOf(wanted)) {
    found.push({ path: 'schedule.form', before: before.fingerprint ?? 'unknown', after: fingerprintOf(wanted) })
  }
  if (paused !== undefined && paused !== before.paused) {
    found.push({ path: 'schedule.paused', before: before.paused, after: paused })
  }
  if (set !== undefined && set !== before.set) found.push({ path: 'schedule.set', before: before.set, after: set })
  return found
}

function fingerprintOf({ document, attributes }: Wanted): string {
  return digest({ shape: SHAPE, document, attributes: attributes.map(({ key }) => key.name) })
}

function scheduleOf(wanted: Wanted, before: StoredFlow | null): ScheduleOptions {
  const { document, attributes, set = before?.set ?? undefined } = wanted
  const { name, description } = written(document)
  const { trigger } = parseFlow(document)
  const typedSearchAttributes = attributes.length > 0 ? { typedSearchAttributes: attributes } : {}
  return {
    scheduleId: scheduleId(name),
    spec: specOf(trigger),
    action: {
      type: 'startWorkflow',
      workflowType: RUN_FLOW,
      workflowId: runIdBase(name),
      taskQueue: taskQueueOf(document),
      args: [document],
      memo: { lakeward: { fingerprint: fingerprintOf(wanted), ...(set === undefined ? {} : { set }) } },
      staticSummary: description ? summaryOf(`Flow ${name}: ${description}`) : `Flow ${name}`,
      ...typedSearchAttributes,
    },
    policies: policiesOf(trigger),
    ...typedSearchAttributes,
  }
}

/** Temporal takes 400 bytes, counted after the codec, whose own are three hundred. */
function summaryOf(text: string): string {
  const MOST_BYTES = 90
  const whole = Array.from(text)
  while (Buffer.byteLength(whole.join('')) > MOST_BYTES) whole.pop()
  return whole.join('')
}

export function specOf(trigger: Trigger): ScheduleSpec {
  if (trigger.kind === 'none' || trigger.kind === 'event') {
    const comment = `${trigger.kind === 'none' ? 'on demand' : 'fed by events'}: a date that keeps the schedule`
    return { calendars: [{ year: 2099, month: 'JANUARY', dayOfMonth: 1, comment }] }
  }
  const { start, end, jitterMs } = trigger
  return {
    ...(trigger.kind === 'cron'
      ? { cronExpressions: [trigger.cron], timezone: trigger.timezone }
      : { intervals: [{ every: trigger.everyMs, ...phase(trigger.everyMs, start) }] }),
    ...(start === undefined ? {} : { startAt: new Date(start) }),
    ...(end === undefined ? {} : { endAt: new Date(end) }),
    ...(jitterMs === undefined ? {} : { jitter: jitterMs }),
  }
}

/** Temporal counts intervals from the epoch; ours count from `start`. */
function phase(everyMs: number, start: string | undefined): { offset?: number } {
  if (start === undefined) return {}
  const past = Date.parse(start) % everyMs
  return { offset: past < 0 ? past + everyMs : past }
}

function policiesOf(trigger: Trigger): ScheduleOptions['policies'] {
  const overlap = ScheduleOverlapPolicy.SKIP
  if (trigger.kind === 'none' || trigger.kind === 'event') return { overlap, catchupWindow: '6 hours' }
  // More than one failure in a row is counted by the run that fails: the server itself knows of one alone.
  const pauses = trigger.pauseAfterFailures === 1 ? { pauseOnFailure: true } : {}
  return { overlap, catchupWindow: trigger.catchUpMs, ...pauses }
}

export function taskQueueOf(document: FlowDocument): string {
  return written(document).taskQueue ?? 'lakeward'
}

/** null: there is no flow of this name. */
export async function readFlow(client: Client, name: string): Promise<StoredFlow | null> {
  let described: ScheduleDescription
  try {
    described = await client.schedule.getHandle(scheduleId(name)).describe()
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null
    throw refused(error, `flow ${name}`) ?? error
  }
  const { action, state, info } = described
  const [document] = (action.args ?? []) as unknown[]
  if (action.workflowType !== RUN_FLOW || document === null || typeof document !== 'object') {
    throw new ClientError(
      'missing',
      `schedule ${scheduleId(name)}`,
      'it is there, but it is no flow of Lakeward',
      `Choose another name for the flow, or delete it: \`temporal schedule delete --schedule-id ${scheduleId(name)}\`.`,
    )
  }
  const memo = action.memo?.lakeward as { fingerprint?: string; set?: string } | undefined
  const { cron, every } = written(document as FlowDocument).trigger ?? {}
  const timed = cron !== undefined || every !== undefined
  return {
    name,
    document: document as FlowDocument,
    paused: state.paused,
    note: state.note ?? '',
    nextTimes: timed && !state.paused ? info.nextActionTimes : [],
    taskQueue: action.taskQueue,
    fingerprint: memo?.fingerprint ?? null,
    set: memo?.set ?? null,
    createdAt: info.createdAt,
    updatedAt: info.lastUpdatedAt ?? null,
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
    runningIds: info.runningActions.map(({ workflow }) => workflow.workflowId),
  }
}

/** As `readFlow`; a name that nothing has is an error that names the nearest. */
export async function requireFlow(client: Client, name: string): Promise<StoredFlow> {
  const flow = await readFlow(client, name)
  if (flow) return flow
  const names = await flowNames(client)
  const near = nearest(name, names)
  throw new ClientError(
    'missing',
    `flow ${name}`,
    'there is no flow of this name',
    names.length === 0
      ? 'No flow has been applied in this namespace yet: `lakeward apply FLOW`.'
      : `${near ? `Did you mean ${near}? ` : ''}\`lakeward list\` shows what there is.`,
  )
}

/** Names of all flows of the namespace. Definitions and memos are not read, so no codec is needed. */
export async function flowNames(client: Client): Promise<string[]> {
  const names: string[] = []
  let nextPageToken: Uint8Array | undefined
  do {
    let page
    try {
      page = await client.workflowService.listSchedules({ namespace: client.options.namespace, nextPageToken })
    } catch (error) {
      throw refused(error, `namespace ${client.options.namespace}`) ?? error
    }
    for (const { scheduleId: id, info } of page.schedules ?? []) {
      const name = /^flow\/([^/]+)$/.exec(id ?? '')?.[1]
      if (name && info?.workflowType?.name === RUN_FLOW) names.push(name)
    }
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined
  } while (nextPageToken)
  return names.toSorted()
}

/** The server checks cron expressions and time zones; its answer names what is wrong. */
function wrongSpec(error: unknown, name: string): InputError | ClientError | null {
  const INVALID_ARGUMENT = 3
  const cause = (error as { cause?: { code?: number; details?: string } }).cause
  if (cause?.code === INVALID_ARGUMENT && /cron|calendar|time ?zone|spec|interval/i.test(cause.details ?? '')) {
    return new InputError([
      {
        where: `${name} trigger`,
        what: `Temporal does not take it: ${cause.details}`,
        advice: 'A cron has five fields, `minute hour day month weekday`; time zones are those of the IANA list.',
      },
    ])
  }
  return refused(error, `flow ${name}`)
}
