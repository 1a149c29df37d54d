/**
 * What passes between workflows and activities, and so lies in Temporal's history: digests only.
 *
 * Law: no record, secret, schema or cursor of unbounded size. A step that needs one names the stored document (plan,
 * unit record, entry) and reads it from the lake. Members may be added, never renamed: runs in flight hold old ones.
 */
import type { Json, JsonObject } from '../connectors/connector.ts'
import type { CommitEvery } from '../connectors/flow-destination.ts'
import type { Counts, Delivered } from '../connectors/lake/protocol.ts'

export type { CommitEvery, Counts, Delivered }

/** Which lane, in words that a worker needs to find its connections and its ledger. */
export interface LaneRef {
  namespaceId: string
  namespace: string
  flow: string
  /** The object's id in the flow. */
  object: string
}

/** One object of one flow: all a lane needs of the definition, as the flow document spells it. */
export interface LaneTask {
  version: 1
  lane: LaneRef
  workflowId: string
  taskQueue: string
  /** The flow document with this object alone in `source.objects`. */
  flow: JsonObject
  /** Nominal time of a schedule or backfill, epoch milliseconds. */
  nominalMs: number | null
  attributes: SearchAttributes
  /** Silence after which the server gives a step to another worker, seconds; the workers' setting. */
  heartbeatSeconds: number
  /** Where units are taken apart from what is short; absent: nowhere, they are done on `taskQueue`. */
  unitQueue?: string
  /** Where progress is told: the workflow that started the lane. */
  parent?: string
}

export type SearchAttributes = { [name: string]: string }

/** A lane of a run; the workflow, which has the flow document, makes its task of it. */
export interface LanePlan {
  /** The object's id. */
  object: string
  workflowId: string
  /** Place of the object, or of its pattern, in the document. */
  at: number
  /** The pattern that took it; its name at the source is its id then. */
  pattern?: string
}

export interface FlowPlan {
  version: 2
  flow: string
  /** Hundreds, where a pattern takes them: what they have in common is said once. */
  lanes: LanePlan[]
  shared: Pick<LaneTask, 'taskQueue' | 'unitQueue' | 'nominalMs' | 'attributes' | 'heartbeatSeconds'> &
    Pick<LaneRef, 'namespaceId' | 'namespace'>
  /** Lanes at once. */
  concurrency: number
  attributes: SearchAttributes
  /** Attributes that the namespace has not registered. */
  missingAttributes: string[]
  /** Sentences for the run's report. */
  notes: string[]
  calls: number
  queue: boolean
}

export interface RunRef {
  /** `<first start, ms base 36>-<end of the run id, 8>-<restart counter>` */
  key: string
  startedMs: number
  workflowId: string
  firstRunId: string
}

export interface OpenDigest {
  run: RunRef
  /** Number the run's first entry takes. */
  n: number
  /** The newest `done` entry: schema, state and watermark are read from it. */
  base: number
  watermark: string | null
  /** Committed entries that are still to be delivered, in order; absent: none. */
  owed?: number[]
  /** Sentences for the details: what was repaired, fenced or removed. */
  report: string[]
}

export interface PlanDigest {
  planHash: string
  ranges: string[]
  /** Ranges of a run that is finished here begin after these units. */
  resumed?: { [range: string]: { seq: number; unit: string } }
  /** How many ranges are read at once; absent: all. */
  parallel?: number
  /** When a part is committed early; empty: only before the store drops what is staged; absent: never. */
  steps?: CommitEvery
  /** There is nothing to read and nothing to commit: what the run ends with. */
  nothing?: CommitDigest
  api: string
  from: string | null
  bound: string | null
  counted: number | null
  heldBack: number | null
  notes: string[]
  /** How the source's schema or the flow differ from those of the lane's last entry. */
  drift: string[]
  schemaVersion: number
  /** Requests to the connections of the flow, tokens not counted; so in all digests. */
  calls: number
}

export interface UnitDigest {
  unit: string
  seq: number
  end: boolean
  files: number
  counts: Counts
  position: string
  /** When the store drops the first of its files by a rule of its own, unless it is completed before; ISO instant. */
  dropped?: string
  notes: string[]
  calls: number
}

export interface CommitDigest {
  /** Number of the entry; null where nothing had to be written. */
  n: number | null
  /** Entries that are to be delivered now to a destination that is no lake, in order; absent: none. */
  owed?: number[]
  watermark: string | null
  files: number
  counts: Counts
  proof: string
  notes: string[]
  calls: number
  /** What the run worked with is still there: `closeRun` removes it. */
  unclosed?: true
}

export interface DeliverDigest {
  n: number
  result: Delivered
  notes: string[]
  calls: number
}

export interface CloseDigest {
  calls: number
}

export interface CancelDigest {
  /** The run had committed before it was cancelled; what it moved stays. */
  committed: boolean
  notes: string[]
}

/** What a listener has to know before its first batch. */
export interface ListenDigest {
  plan: FlowPlan
  /** A batch is closed so long after its first event, or as soon as it has so many. */
  batch: { everyMs: number; rows: number }
  /** As the flow's schedule says; null: there is none, or it cannot be asked. */
  paused: boolean | null
  /** The flow was deleted: what waits is committed, and that is all. */
  last: boolean
  /** Events in the lake, by object. */
  waiting: { [object: string]: number }
}

/** An event that came by itself, not through a receiver. */
export interface HandEvent {
  id: string
  /** What the flow's objects name; absent where it has one object alone. */
  kind?: string
  body: Json
}

/** How many were kept, by object; those that no object takes are told. */
export interface KeepDigest {
  kept: { [object: string]: number }
  notes: string[]
}

// What the steps are called with.
export interface OpenInput {
  task: LaneTask
  run: RunRef
}
export interface DescribeInput {
  task: LaneTask
  open: OpenDigest
  /** A job was refused in an earlier life of the run. */
  noJob?: true
  /** What an unfinished plan reads was gone, and again when it was read anew. */
  expired?: true
}
export interface ExtractInput {
  task: LaneTask
  run: RunRef
  planHash: string
  range: string
  seq: number
  previous: string | null
}
export interface CommitInput {
  task: LaneTask
  run: RunRef
  planHash: string
  /** Last unit of each range. */
  units: { [range: string]: string }
  /** Number that the run's first entry takes. */
  n: number
  /** Position of the entry among the run's, 1 first; absent: it is the only one. */
  step?: number
  /** The plan goes on behind it. */
  early?: true
}
export interface DeliverInput {
  task: LaneTask
  /** Number of the entry. */
  n: number
}
export interface CloseInput {
  task: LaneTask
  run: RunRef
}
export interface CancelInput {
  task: LaneTask
  run: RunRef
  /** Number the run would have taken; absent when it was cancelled before it was opened. */
  n?: number
}
export interface PlanFlowInput {
  flow: Json
  nominalMs: number | null
}
export interface ListenInput {
  flow: Json
}
export interface KeepInput {
  flow: Json
  events: HandEvent[]
  /** When they came, epoch milliseconds. */
  atMs: number
}
export interface PauseInput {
  scheduleId: string
  /** Failed runs in a row that are too many; the one that asks is among them. */
  after: number
}
export interface PauseDigest {
  paused: boolean
}
export interface HolderDigest {
  /** `flow/x/run-… since 2026-05-06T11:56:44Z` */
  holder: string
}
export interface NotifyInput {
  /** Of the flow document, as it is written. */
  flow: {
    name: string
    notify: Json
    source: { connection: string; objects: string[] }
    destination: { connection: string; object: string }
    trigger: 'ONDEMAND' | 'SCHEDULED'
  }
  run: { workflowId: string; runId: string; startedAt: string }
  /** In order of time. */
  events: RunEvent[]
}
/** What can be told of a run; `at` is an ISO instant. */
export type RunEvent =
  | { kind: 'started'; at: string }
  | { kind: 'drift'; at: string; objects: { object: string; schemaVersion: number | null; changes: string[] }[] }
  | ({ kind: 'ended'; at: string } & RunEnd)
  | { kind: 'deactivated'; at: string; reason: string }
export interface RunEnd {
  status: 'Successful' | 'Failed' | 'Canceled'
  error?: string
  totals: { read: number; left: number; failed: number; files: number; bytes: number }
  /** Of many, the first. */
  objects: JsonObject[]
  others: number
}
export interface NotifyDigest {
  /** Who could not be told, and why. */
  notes: string[]
}
export interface RefreshInput {
  connection: string
  staleVersion: number
}
export interface RefreshDigest {
  version: number
  /** The login is refused and a person must act: what, and what to do. `version` says nothing then. */
  lost?: { message: string; reason: string }
}
export interface PauseFlowsInput {
  connection: string
  /** Why, and what to do. */
  reason: string
}
export interface PauseFlowsDigest {
  /** Flows that use the connection and do not start by themselves now. */
  paused: string[]
  failed: string[]
}

// What a run answers, while it goes on and at its end.
export type Phase =
  | 'waiting'
  | 'opening'
  | 'planning'
  | 'reading'
  | 'committing'
  | 'delivering'
  | 'done'
  | 'nothing'
  | 'failed'
  | 'cancelled'
  | 'skipped'

export interface LaneProgress {
  object: string
  workflowId: string
  phase: Phase
  read: number
  written: number
  bytes: number
  files: number
  calls: number
  /** Records in the window when it was planned. */
  counted: number | null
  position: string
  restarts: number
  error?: { type: string; message: string }
}

export interface RunProgress {
  flow: string
  objects: LaneProgress[]
}

export interface ObjectResult extends Counts {
  object: string
  status: 'done' | 'nothing' | 'failed' | 'cancelled' | 'skipped'
  entry: number | null
  files: number
  /** Absent where only the ledger tells of the run. */
  calls?: number
  from: string | null
  watermark: string | null
  proof?: string
  /** Left for the next run, as far as was looked. */
  heldBack?: number
  /** What became of the rows at a destination that is no lake, those of earlier runs that were owed with them. */
  delivered?: Delivered
  notes: string[]
  /** Number of the lane's schema, and how it or the flow differ from those of the entry before. */
  schemaVersion?: number
  drift?: string[]
  error?: { type: string; message: string }
}

export interface RunResult {
  version: 1
  flow: string
  objects: ObjectResult[]
  read: number
  written: number
  bytes: number
  files: number
  /** Those of all objects, and what listing them took. */
  calls?: number
  /** What is to be known of the run as a whole: which objects a pattern took, and which it left out. */
  notes: string[]
}
