/**
 * The documents of the commit protocol and the shape of its steps. `open.ts`, `plans.ts`, `units.ts`, `commit.ts`,
 * `roll-forward.ts` and `cancel.ts` are the steps; the rules they keep stand in their headers.
 *
 * Laws
 * - All documents but the hint are created once and always read back; the status of a create is never trusted.
 * - A document is read strictly (`documents.ts`): members may be added, but a change of meaning is a new version.
 * - No document holds a time that a decision of the protocol rests on, but two: a void is repeated for a day after its
 *   `writtenAt`, and a staged file that its store is about to drop (`dropped`) is not committed. Everything else called
 *   `writtenAt` is for people.
 */
import type { Allowance } from '../allowance.ts'
import type { Field, Json, JsonObject, Plan } from '../connector.ts'
import type { RecordTarget } from '../record-sink.ts'
import type { ObjectStore, StagedFile } from './store.ts'

/** One object of one flow in one namespace. */
export interface Lane {
  /** UUID of the Temporal namespace; its name is for people. */
  namespaceId: string
  namespace: string
  flow: string
  /** The object's id in the flow. */
  object: string
}

/** A run of a lane, named by the workflow alone and never by a worker's clock. */
export interface RunKey {
  /** `<first start, ms base 36>-<end of the run id, 8>-<restart counter>`: sorts by start, stands in file names. */
  key: string
  /** First start time of the workflow, epoch milliseconds. */
  startedMs: number
  workflowId: string
  firstRunId: string
  /** The run of the flow that this lane is part of, by its workflow id. */
  parent?: string
}

export interface LakeLane {
  store: ObjectStore
  lane: Lane
  /** Reports that work goes on, for long lists and many files. */
  beat(position: string): void
  /** Waits; tests and the simulation replace it. */
  sleep(ms: number): Promise<void>
  /** Removes what a run keeps elsewhere, before its plan goes; any number of times. */
  drop?(plan: RunPlan): Promise<void>
  /** Epoch milliseconds, for `writtenAt`; tests replace it. */
  now?(): number
}

export const LAKE_VERSION = 1

/** `_lakeward/lake.json`, created once. */
export interface LakeIdentity {
  version: 1
  id: string
  /** What was wrong with the one before. */
  repaired?: string
}

/** `plans/<run>.json` */
export interface RunPlan {
  version: 1
  run: string
  startedMs: number
  namespaceId: string
  namespace: string
  workflowId: string
  parent?: string
  /** Keys of this run's files begin with it: uploads below it are this lane's to abort. */
  prefix: string
  /** Name prefix of this run's files: `<lane8>-<run>`. */
  files: string
  /** Number this run's first entry takes. */
  n: number
  before: LaneState
  source: { connection: string; connector: string; identity: string; object: string }
  lakeId: string
  /** The connector's plan: bound, ranges, request. */
  plan: Plan
  kind: RunKind
  sourceSchema: Field[]
  outputSchema: Field[]
  /** What extraction needs of the flow: where, transform, format, partitions. Opaque to the protocol. */
  recipe: Json
  recipeHash: string
  /** Absent in plans from before schemas were counted; so are `shape` and `drift`. */
  schema?: SchemaVersion
  /** What the next run compares itself with. Opaque to the protocol. */
  shape?: Json
  /** How the source's schema or the flow differ from those of the entry before, in sentences. */
  drift?: string[]
  /** Generation that this plan's files belong to. */
  generation: number
  /** Number of the first entry of that generation. */
  since: number
  /** Set where the flow looks back: how far, and what a record is known by. */
  lookback?: { ms: number; keys: string[]; cursorField: string }
  /** Keys of the files of quarantine that a replay takes. */
  replays?: string[]
  /** Where its entries are delivered to; absent: the lake is the destination. */
  delivery?: Delivery
  /** Set where this run finishes the plan of another: its ranges go on behind what that one committed. */
  resumes?: Omit<Unfinished, 'plan'> & { run: string; n: number; seen?: SeenRef | undefined }
}

/** A destination that is no lake, as it was when the run was planned. */
export interface Delivery {
  kind: 'table' | 'records'
  connection: string
  /** What the connection reached. */
  identity: string
  /** Table or target object. */
  target: string
  write: 'append' | 'replace' | 'upsert' | 'update' | 'delete'
  /** Output names. */
  keys: string[]
  /** Output names of which the greatest is the newest, where a record comes twice. */
  order: string[]
  /** Records only: what is written of the target, and what the flow says of it. */
  records?: RecordsDelivery
}

export interface RecordsDelivery {
  target: RecordTarget
  options: JsonObject
  /** `fail`: the run fails where records were refused, once the fate of all is known. */
  onReject: 'quarantine' | 'fail'
  /** More quarantined records than these fail the run; absent: any number. */
  most?: Allowance
}

/** What became of the rows of an entry that was delivered. */
export interface Delivered {
  inserted: number
  updated: number
  deleted: number
  /** Refused by the destination, and quarantined. */
  rejected: number
}

/** `version` counts a lane's schemas, 1 first; `since`: number of the first entry that has it. */
export interface SchemaVersion {
  version: number
  since: number
}

/** How far a range got: behind which unit its chain goes on, and from where. */
export interface ChainEnd {
  seq: number
  unit: string | null
  cursor: Json
  end: boolean
}

/**
 * incremental: moves the watermark. full: a whole read that is appended, and moves it. generation: a whole read that
 * replaces what was there. window: `from`/`to`, leaves the watermark. set: no files, a person moved the watermark.
 * replay: what lies in quarantine, leaves the watermark.
 */
export interface RunKind {
  kind: 'incremental' | 'full' | 'generation' | 'window' | 'set' | 'replay'
  /** generation only: earlier files stay. */
  keepOld?: boolean
  window?: { from: string; to: string }
}

/** What a lane's newest `done` entry leaves to the next run. All of it comes from one listing. */
export interface LaneState {
  /** The newest `done` entry; 0: none. */
  n: number
  watermark: string | null
  /** Where the records below the watermark begin; null: at the source's beginning. Says nothing without a watermark. */
  origin: string | null
  state: Json
  /** The current generation: the newest whose last entry is `done`. */
  generation: number
  /** Number of the current generation's first entry. */
  since: number
  /** The newest generation that was begun, current or not; the next one counts on from it. */
  begun: number
  sourceSchema: Field[] | null
  outputSchema: Field[] | null
  sourceIdentity: string | null
  lakeId: string | null
  /** Hash of what shapes the output; a difference is a changed flow, not drift. */
  recipeHash: string | null
  /** null: there is no entry. Absent in plans from before schemas were counted. */
  schema?: SchemaVersion | null
  /** null: no entry, or one from before it was kept. */
  shape?: Json
  windows: { from: string; to: string }[]
  /** What was read lately, where the flow looks back. */
  seen?: SeenRef
}

/** A reference to `seen/<n>-<run>-<digest>.json`. */
export interface SeenRef {
  key: string
  /** From this instant up to the watermark it is whole. */
  from: string
  rows: number
}

/** 24 bytes per record in base64, sorted: 16 of SHA-256 over key and stamp, 8 of the stamp in microseconds. */
export interface SeenPart {
  from: string
  rows: string
}
export interface SeenObject extends SeenPart {
  version: 1
}

export interface Counts {
  read: number
  written: number
  /** Rows that `where` left out. */
  filtered: number
  /** Rows that a validation dropped. */
  dropped: number
  quarantined: number
  /** Rows that an earlier run had read and a lookback read again; absent: none. */
  repeated?: number
  bytes: number
  pages: number
}

/** `units/<run>/<range>/<seq>-<nonce>.json` */
export interface UnitRecord {
  version: 1
  id: string
  run: string
  range: string
  seq: number
  /** Id of the unit before it in its range; null for the first. */
  previous: string | null
  /** Where the next unit of the range reads on; ignored when `end`. */
  cursor: Json
  /** The range ends with this unit. */
  end: boolean
  position: string
  files: CommittedFile[]
  counts: Counts
  /** Findings for the report. */
  notes: string[]
  /** What the unit read of the window that the next run looks back to. */
  seen?: SeenPart
  /** Bytes of the longest text of each field, for tables. */
  widths?: Record<string, number>
}

export interface CommittedFile extends StagedFile {
  rows: number
  /** Quarantined records lie outside the data prefix and are in no reader's manifest. */
  quarantine?: true
  /** How often its records were refused before; absent: never. */
  refused?: number
}

/** `commits/<n>.json`. A fence closes a number and says nothing else. */
export type Entry = CommitEntry | FenceEntry
export interface FenceEntry {
  version: 1
  kind: 'fence'
  n: number
  run: string
  why: string
  writtenAt: string
}
export interface CommitEntry {
  version: 1
  kind: 'commit'
  n: number
  run: string
  workflowId: string
  namespaceId: string
  /** The run of the flow, by its workflow id. */
  parent?: string
  /** Last unit of each range this entry closes or advances: with `run`, what makes an entry "mine". */
  units: Record<string, string>
  /** Position of this entry among its run's entries, 1 first. */
  step: number
  /** Closes the plan's last range; only then do watermark and state move. */
  last: boolean
  runKind: RunKind
  /** Generation that the files belong to. */
  generation: number
  files: CommittedFile[]
  counts: Counts
  /** Owed once it is `done`, until `commits/<n>.delivered` stands. */
  delivery?: Delivery & { widths?: Record<string, number> }
  before: { n: number; watermark: string | null }
  /** What the lane stands at once this entry is `done`. */
  after: {
    watermark: string | null
    origin: string | null
    state: Json
    generation: number
    since: number
    seen?: SeenRef
  }
  /** The entries from ≤ n < to held earlier generations, whose files this one's outcome obliges everybody to delete. */
  replaces?: { from: number; to: number }
  /** Keys of the files of quarantine that this entry took: once it is `done`, everybody is obliged to delete them. */
  replays?: string[]
  windows: { from: string; to: string }[]
  sourceSchema: Field[]
  outputSchema: Field[]
  recipeHash: string
  /** Absent in entries from before schemas were counted; so are `shape` and `drift`. */
  schema?: SchemaVersion
  /** What the next run compares itself with. Opaque to the protocol. */
  shape?: Json
  /** How this schema, or the flow, differ from those of the entry before, in sentences. */
  drift?: string[]
  sourceIdentity: string
  lakeId: string
  /** C0, C1 and what they prove. */
  proof: { planned: number | null; now: number | null; verdict: string }
  /** The plan, where this entry leaves ranges unfinished, for the run that finishes it. */
  unfinished?: Unfinished
  writtenAt: string
}

export interface Unfinished {
  plan: RunPlan
  ranges: Record<string, ChainEnd>
  /** What is committed of the plan, by all its entries so far. */
  counts?: Counts
  /** Reference to the export that the ranges are of. */
  job?: Json
}

/** `commits/<n>.outcome` */
export interface Outcome {
  version: 1
  n: number
  outcome: 'done' | 'void'
  /** done: what readers may read. */
  manifest?: ManifestFile[]
  /** void: what was lost. */
  why?: string
  /** done: what was wrong with the one before. */
  repaired?: string
  writtenAt: string
}

/** `commits/<n>.delivered` */
export interface Receipt {
  version: 1
  n: number
  run: string
  result: Delivered
  /** What was refused, by reason. */
  reasons?: Record<string, number>
  writtenAt: string
}

/** `deliveries/<n>/way.json`: how the records of an entry go, fixed before the first does. */
export interface DeliveryWay {
  version: 1
  way: 'send' | 'job'
  maxRows: number
  maxBytes: number
}

/** `deliveries/<n>/chunk-<k>.json`: what became of the records of a chunk. */
export interface SentChunk {
  version: 1
  result: Delivered
  rejects: SentReject[]
  /** Where the chunk after it begins; null: it is the last. */
  next: ChunkPlace | null
}
/** File of the entry, byte in it, and place of the record in the entry; all from 0. */
export interface ChunkPlace {
  file: number
  from: number
  row: number
}
export interface SentReject {
  /** Among the records of the chunk, from 0. */
  row: number
  reason: string
  /** It may have been written all the same. */
  unknown?: true
}

export interface ManifestFile {
  key: string
  bytes: number
  rows: number
}

/** `hint.json`: a `done` entry that owes nothing, where listings may begin. The one document that may be wrong. */
export interface Hint {
  version: 1
  n: number
}
