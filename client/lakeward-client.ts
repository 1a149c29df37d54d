/**
 * Flows and runs, for programs: what the command does, without the terminal. It talks to Temporal alone; give it a
 * `Client` with your own TLS, API key, data converter and interceptors.
 *
 * ```ts
 * const lakeward = new LakewardClient(new Client({ connection, namespace }))
 * await lakeward.apply({ version: 1, name: 'crm', source: …, destination: … })
 * const run = await lakeward.run('crm')
 * for await (const state of lakeward.follow(run)) console.log(state.stage, state.objects)
 * ```
 *
 * Errors: `InputError` (a definition or an option that cannot be used as written) and `ClientError` (kinds: missing,
 * paused, busy, server, credentials, codec).
 */
import type { Client } from '@temporalio/client'
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common'
import type { SearchAttributePair } from '@temporalio/common'
import type { JsonObject } from '../connectors/connector.ts'
import { InputError } from '../connectors/errors.ts'
import { meant } from '../connectors/nearest.ts'
import { ClientError } from './client-error.ts'
import { refused } from './connect.ts'
import type { Difference } from './differences.ts'
import type { FlowDocument } from './flow-document.ts'
import { matches } from '../connectors/flow-patterns.ts'
import { flowDocument, flowName, isFedByEvents, objectIds, withoutRun } from './flow-document.ts'
import { listenerId, scheduleId } from './flow-ids.ts'
import type { FollowOptions, RunState } from './follow-run.ts'
import { followRun } from './follow-run.ts'
import type { ListenProgress } from './listener.ts'
import { cancelListener, followDefinition, listenerProgress, tellListener } from './listener.ts'
import type { RunOutcome } from './run-outcome.ts'
import { runOutcome } from './run-outcome.ts'
import type { RunSummary, StartedRun } from './runs.ts'
import { busy, busyLanes, cancelRun, findRuns, inTurns, runningRuns, startRun, withOutcomes } from './runs.ts'
import type { Applied, ApplyOptions, StoredFlow } from './schedules.ts'
import { applyFlow, compareFlow, flowNames, readFlow, requireFlow } from './schedules.ts'
import { attributeStates } from './search-attributes.ts'
import { hasWorker } from './waiting.ts'

/** Options of one run; what they mean is the format's, below `run:`. */
export interface RunOptions {
  full?: boolean
  keepOld?: boolean
  again?: boolean
  queue?: boolean
  evenPaused?: boolean
  /** What lies in quarantine goes again; nothing is read of the source. */
  replay?: boolean
  /** ISO times; a window that is read once more, watermarks stay. */
  from?: string
  to?: string
  /** Ids of the objects to read; default: all. */
  objects?: string[]
}

/** What `apply` would change of one flow. */
export interface FlowDiff {
  name: string
  change: 'new' | 'changed' | 'unchanged'
  /** By path in the definition; `schedule.paused`, `schedule.set` and `schedule.form` are the schedule's own. */
  differences: Difference[]
}

export interface ListedFlow {
  name: string
  /** null where it could not be read, and then `problem` says why. */
  flow: StoredFlow | null
  lastRun: RunSummary | null
  /** Of a flow that events feed; null: its listener does not answer. */
  listener?: ListenProgress | null
  problem?: ClientError
}

export interface FlowStatus extends StoredFlow {
  /** The newest first, with how they ended. */
  runs: RunSummary[]
  /** Of those that run now. */
  running: RunState[]
  /** Of a flow that events feed; null: its listener does not answer. */
  listener?: ListenProgress | null
}

export class LakewardClient {
  readonly temporal: Client
  #registered: Promise<boolean> | undefined

  constructor(temporal: Client) {
    this.temporal = temporal
  }

  /** Creates the flow's schedule, or updates it where the definition differs; the listener of its events follows. */
  async apply(definition: unknown, options: ApplyOptions = {}): Promise<Applied> {
    const wanted = await this.wanted(definition, options)
    const before = await readFlow(this.temporal, flowName(wanted.document))
    const applied = await applyFlow(this.temporal, wanted)
    await followDefinition(this.temporal, { ...wanted, before: before?.document ?? null, paused: applied.paused })
    return applied
  }

  /** What `apply` would change. Nothing is changed. */
  async diff(definition: unknown, options: ApplyOptions = {}): Promise<FlowDiff> {
    const wanted = await this.wanted(definition, options)
    const name = flowName(wanted.document)
    const before = await readFlow(this.temporal, name)
    if (!before) return { name, change: 'new', differences: [] }
    const differences = compareFlow(before, wanted)
    return { name, change: differences.length > 0 ? 'changed' : 'unchanged', differences }
  }

  /** Names of all stored flows; no definition is read, so no codec is needed. */
  async names(): Promise<string[]> {
    return flowNames(this.temporal)
  }

  /** Flows that were applied with this set, and their runs that go on. One that cannot be decoded is of no set. */
  async members(set: string): Promise<{ name: string; running: string[] }[]> {
    const byAttribute = await this.registered()
    const flows = await inTurns(await flowNames(this.temporal), async (name) => {
      const flow = await readFlow(this.temporal, name).catch((error: unknown) => {
        if (error instanceof ClientError && error.kind === 'codec') return null
        throw error
      })
      if (flow?.set !== set) return null
      return { name, running: await runningRuns(this.temporal, name, { ...flow, byAttribute }) }
    })
    return flows.filter((flow) => flow !== null)
  }

  /**
   * Starts a run of a stored flow (its name) or of a definition. Refuses a paused flow (`evenPaused` does not) and
   * objects that another run holds (`queue` waits for them).
   */
  async run(target: string | FlowDocument, options: RunOptions = {}): Promise<StartedRun> {
    const stored = await (typeof target === 'string'
      ? requireFlow(this.temporal, target)
      : readFlow(this.temporal, flowName(target)))
    const before = typeof target === 'string' ? (stored as StoredFlow).document : target
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    const run = { ...(before.run as JsonObject | undefined), ...given } as RunOptions
    const document = flowDocument(Object.keys(run).length > 0 ? { ...before, run: run as JsonObject } : before)
    const name = flowName(document)
    knownObjects(document, run.objects)
    const paused = stored ? stored.paused : document.paused === true
    if (paused && !run.evenPaused) throw isPaused(name, stored?.note ?? '')
    if (!run.queue) {
      const lanes = await busyLanes(this.temporal, document, run.objects)
      if (lanes.length > 0) throw busy(name, lanes)
    }
    return startRun(this.temporal, document, await this.attributes(name))
  }

  async list(): Promise<ListedFlow[]> {
    const byAttribute = await this.registered()
    return inTurns(await flowNames(this.temporal), async (name) => {
      const [lastRun = null] = await findRuns(this.temporal, name, { limit: 1, byAttribute })
      try {
        const flow = await readFlow(this.temporal, name)
        return { name, flow, lastRun, ...(flow && (await this.listener(flow))) }
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
        return { name, flow: null, lastRun, problem: error }
      }
    })
  }

  async flow(name: string): Promise<StoredFlow> {
    return requireFlow(this.temporal, name)
  }

  async status(name: string): Promise<FlowStatus> {
    const flow = await requireFlow(this.temporal, name)
    const found = await findRuns(this.temporal, name, { limit: 5, byAttribute: await this.registered() })
    const runs = await withOutcomes(this.temporal, found)
    const going = runs.filter((run) => run.status === 'running')
    const running = await inTurns(going, async ({ workflowId }) => {
      for await (const state of this.follow({ workflowId, taskQueue: flow.taskQueue })) return state
      return null
    })
    return { ...flow, runs, running: running.filter((state) => state !== null), ...(await this.listener(flow)) }
  }

  /** Runs of a flow, the newest first, also of one that was deleted. */
  async runs(name: string, limit = 20): Promise<RunSummary[]> {
    const runs = await findRuns(this.temporal, name, { limit, byAttribute: await this.registered() })
    if (runs.length === 0) await requireFlow(this.temporal, name)
    return withOutcomes(this.temporal, runs)
  }

  async pause(name: string, note = 'paused by hand'): Promise<void> {
    const { document } = await this.schedule(name, (schedule) => schedule.pause(note))
    if (isFedByEvents(document)) await tellListener(this.temporal, name, 'pause')
  }

  async unpause(name: string, note = 'started again by hand'): Promise<void> {
    const { document } = await this.schedule(name, (schedule) => schedule.unpause(note))
    if (isFedByEvents(document)) await tellListener(this.temporal, name, 'resume')
  }

  /** Asks every run of the flow that goes on to stop; what they staged goes, what they committed stays. */
  async cancel(name: string): Promise<string[]> {
    const flow = await readFlow(this.temporal, name)
    const byAttribute = await this.registered()
    const ids = await runningRuns(this.temporal, name, { ...flow, byAttribute })
    if (ids.length === 0 && !flow) await requireFlow(this.temporal, name)
    const cancelled = await inTurns(ids, async (id) => ((await cancelRun(this.temporal, id)) ? id : null))
    return cancelled.filter((id) => id !== null)
  }

  /**
   * Deletes the flow's schedule. Its runs go on unless `cancel` is set; its files and ledger stay. A listener commits
   * what waits and ends, or is cancelled.
   */
  async delete(name: string, options: { cancel?: boolean } = {}): Promise<{ cancelled: string[]; running: string[] }> {
    const flow = await requireFlow(this.temporal, name)
    await this.schedule(name, (schedule) => schedule.delete())
    const running = await runningRuns(this.temporal, name, { ...flow, byAttribute: await this.registered() })
    if (isFedByEvents(flow.document)) {
      const told = options.cancel ? cancelListener(this.temporal, name) : tellListener(this.temporal, name, 'end')
      if (await told) running.push(listenerId(name))
    }
    if (!options.cancel) return { cancelled: [], running }
    await inTurns(running, (id) => cancelRun(this.temporal, id))
    return { cancelled: running, running: [] }
  }

  /** How far a run is, until it has ended; the last state has the outcome. The run goes on without a reader. */
  follow(run: { workflowId: string; taskQueue: string }, options: FollowOptions = {}): AsyncGenerator<RunState, void> {
    return followRun(this.temporal, run, options)
  }

  /** Waits for the end of a run. */
  async outcome(workflowId: string): Promise<RunOutcome> {
    return runOutcome(this.temporal.workflow.getHandle(workflowId))
  }

  /** Somebody polls the queue. */
  async hasWorker(taskQueue: string): Promise<boolean> {
    return hasWorker(this.temporal, taskQueue)
  }

  private async listener({ name, document }: StoredFlow): Promise<{ listener?: ListenProgress | null }> {
    return isFedByEvents(document) ? { listener: await listenerProgress(this.temporal, name) } : {}
  }

  private async schedule(name: string, work: (handle: ReturnType<Client['schedule']['getHandle']>) => Promise<void>) {
    const flow = await requireFlow(this.temporal, name)
    try {
      await work(this.temporal.schedule.getHandle(scheduleId(name)))
    } catch (error) {
      throw refused(error, `flow ${name}`) ?? error
    }
    return flow
  }

  private async wanted(definition: unknown, options: ApplyOptions) {
    const document = flowDocument(definition)
    withoutRun(document, `${flowName(document)} run`)
    return { document, attributes: await this.attributes(flowName(document)), ...options }
  }

  private async attributes(flow: string): Promise<SearchAttributePair[]> {
    if (!(await this.registered())) return []
    return [{ key: defineSearchAttributeKey('LakewardFlow', SearchAttributeType.KEYWORD), value: flow }]
  }

  /** `LakewardFlow` is registered as a keyword; where we may not ask, it counts as not. */
  private registered(): Promise<boolean> {
    this.#registered ??= attributeStates(this.temporal)
      .then((states) => states.LakewardFlow === 'registered')
      .catch(() => false)
    return this.#registered
  }
}

function isPaused(name: string, note: string): ClientError {
  return new ClientError(
    'paused',
    `flow ${name}`,
    `it is paused${note ? `: ${note}` : ''}`,
    `\`lakeward unpause ${name}\` starts it again; --even-paused runs it once all the same.`,
  )
}

function knownObjects(document: FlowDocument, wanted: string[] = []): void {
  const known = objectIds(document)
  const unknown = wanted.filter((object) => !known.some((one) => matches(one, object)))
  if (unknown.length === 0) return
  throw new InputError(
    unknown.map((object) => ({
      where: `${flowName(document)} run.objects`,
      what: `the flow has no object ${object}${meant(object, known)}`,
      advice: `It has: ${known.join(', ')}.`,
    })),
  )
}
