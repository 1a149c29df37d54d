/**
 * The connector contract: what one system (Salesforce, a directory, Redshift …) must say and do to take part in a flow.
 *
 * Laws of this file
 * - It imports nothing but the types of its own parts, `table.ts`, `record-sink.ts` and `events.ts`. All else in
 *   `connectors/` may import it.
 * - A difference between systems is data or an optional member, never a name that core code compares with.
 * - What a plan fixed, every retry reads again: `read` depends on (plan, range, cursor) alone.
 * - Cursors, states and requests are JSON that only the connector reads; the core stores and returns them unchanged.
 */
import type { Events, Inbox } from './events.ts'
import type { RecordSink } from './record-sink.ts'
import type { Table } from './table.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

// ---------------------------------------------------------------------------------------------------------- schema
/** Timestamps are UTC instants with microseconds; times of day have microseconds; decimals hold 0 ≤ s ≤ p ≤ 38. */
export type FieldType =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'float64'
  | `decimal(${number},${number})`
  | 'date'
  | 'time'
  | 'timestamp'
  | 'binary'
  | 'json'

export interface Field {
  name: string
  type: FieldType
  nullable: boolean
  /** What people call it in the source's own screens. */
  label?: string
  /** The source's own name of the type, for people: `currency(18,2)`. */
  sourceType?: string
  /** Can stand in a filter that the source evaluates. */
  filterable?: boolean
  /** The source no longer has it: its column goes on as nulls. */
  gone?: true
}

export interface ObjectSchema {
  object: string
  fields: Field[]
  /** Names of the fields that identify a record; empty where the source has none. */
  keys: string[]
  /** Fields an incremental read can be ordered by, the best first; empty: full reads only. */
  cursors: string[]
  /** The source shows deleted records. */
  deletes: boolean
}

export interface ObjectInfo {
  name: string
  label?: string
  /** Why the object cannot be read, where it is listed but cannot. */
  unreadable?: string
  /** Objects below this one exist: list them with it as `parent`. */
  parent?: boolean
}

// ------------------------------------------------------------------------------------------------------- connector
export interface Connector {
  name: string
  /** One line for people. */
  title: string
  /** Strict schema of the connection's settings (below `connections.<name>`), secrets excluded. */
  settings: Validator
  /** Settings that are paths on this machine; they rest on the folder of lakeward.yaml. */
  paths?: string[]
  /** A connection may name a lake as its `staging`: what lies there, for people. */
  staging?: string
  /** Kinds of login it offers; empty: none is needed. */
  auth: AuthKind[]
  limits: Limit[]
  errors: ErrorRule[]
  errorShapes?: ErrorShape[]
  /** What relative URLs rest on, over the settings and the kept members of the token answer: `{instance_url}`. */
  baseUrl?: string
  /** A cheap page whose Date header tells `Session.now`, before any other answer has come. */
  clockUrl?: string
  /** Which org, instance, account or directory the connection reaches now: compared by every activity with the plan. */
  identity(session: Session): Promise<string>
  /** Tells somebody how a run goes; again in every attempt, under the same id. */
  notify?(session: Session, notice: Notice): Promise<void>
  /** Who is logged in, for people: what it is, and its name. */
  account?(session: Session): Promise<Record<string, string>>
  source?: Source
  destination?: Destination
  events?: Events
}

/** What happened to a run, under Amazon AppFlow's names where it has one. */
export interface Notice {
  /** The same in every attempt; those of a flow are in order of time. */
  id: string
  /** `AppFlow End Flow Run Report` */
  type: string
  /** ISO instant. */
  time: string
  detail: JsonObject
}

/** A schema library's parse; throws with a message that names the path. Structural: the contract has no imports. */
export interface Validator<T = unknown> {
  parse(input: unknown): T
}

/** The core speaks these grants; a connector names those it accepts and where their endpoints are. */
export interface AuthKind {
  type: string
  /** Template of the token endpoint over the connection's settings: `{loginUrl}/services/oauth2/token`. */
  tokenUrl?: string
  authorizeUrl?: string
  scopes?: string[]
  /** How the credential goes into a request; `bearer` is `Authorization: Bearer <access token>`. */
  send: 'bearer' | 'basic' | { header: string; prefix?: string } | 'none'
  /** Names of token answer members to keep beside the access token (`instance_url`); never secret. */
  keep?: string[]
  /** Whom a signed assertion is addressed to, where the connection does not say. */
  audience?(settings: JsonObject): string
  /** What keeps this login from working as it is configured (a second line: what to do); undefined: nothing. */
  unfit?(settings: JsonObject, auth: Record<string, unknown>): string | undefined
  optional?: true // `auth` may be left out: the login is found elsewhere, as by the default chain of AWS
}

export interface Limit {
  name: string // what the vendor counts: `requests per day`
  /** Response header that carries the use, and its shape; `{used}/{max}` is matched literally. */
  header?: { name: string; pattern: string }
  daily?: true // counts a whole day: what `limits.dailyCalls` of a connection may be a share of
  parallel?: number // requests in flight that this connection should not exceed
}

/** Where an error body has its code and message: `at` leads there, a number picks from an array. First fit decides. */
export type ErrorShape = { at: (string | number)[]; code: string; message: string }

/** The first rule that matches an answer decides; see `errors.ts` for the meaning of each kind. */
export interface ErrorRule {
  status?: number | [from: number, to: number]
  /** The vendor's own error code, where its body has one (found by `ErrorShape`). */
  code?: string | string[]
  message?: string // a regular expression on the vendor's message
  kind: ErrorKind
  /** How long to wait when the vendor does not say, milliseconds. */
  waitMs?: number
  advice?: string // what the user can do
}

export type ErrorKind =
  | 'expired' // the access token: refresh once and ask again
  | 'auth' // the login itself: a person must act
  | 'forbidden' // logged in, but not allowed
  | 'throttled' // slow down and try again
  | 'quota' // a daily or monthly budget is gone: wait long
  | 'transient' // the same request may work later
  | 'missing' // no such object, field or record
  | 'rejected' // the request itself is wrong; the same request will not work
  | 'cursor-expired' // read the range again from the last committed position
  | 'answer' // not what the vendor documents: HTML, cut JSON, a repeated cursor
  | 'moved' // the connection reaches another org or lake than the plan's

// --------------------------------------------------------------------------------------------------------- session
/** One use of a connection, made by the core: login, refresh, pacing, retries and redaction live behind it. */
export interface Session {
  connection: string
  /** The settings as `Connector.settings` parsed them. */
  settings: JsonObject
  http: Http
  /** Connectors that offer `aws_keys`: what the SDK takes as `credentials`. `policy` narrows a role that is assumed. */
  aws?: (policy?: JsonObject) => AwsCredentials
  /** Connectors that offer `signing_secret`: HMAC-SHA256 in hex, by each secret of the connection, the newest first. */
  sign?: (bytes: Uint8Array) => Promise<string[]>
  /** Aborted on cancellation, time-out and shutdown. */
  signal: AbortSignal
  /** The system's own clock in epoch milliseconds (a Date header will do), never ours. */
  now(): Promise<number>
  /** The lake that the connection names as `staging`, typed in `lake/store.ts`, and our folder there. */
  staging?: () => Promise<{ store: unknown; folder: string }>
  /** Says that work goes on and where it is; a person reads it. */
  beat(position: string): void
  /** A finding for the run's report: plain text for people, no records, no secrets. */
  note(text: string): void
  /** Where events of the lane wait; absent where none feed it. */
  inbox?: Inbox
}

/** Asked again before they expire. */
export type AwsCredentials = () => Promise<AwsKeys>
export type AwsKeys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string; expiration?: Date }

export interface HttpRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** Absolute, or relative to the connection's base URL. */
  url: string
  headers?: Record<string, string>
  body?: Uint8Array | string
  accept?: 'json' // an answer that cannot be whole JSON is an error then, whatever its status says
  /** Says for errors what is being done: `read Account`. */
  doing: string
}

export interface HttpResponse {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: Uint8Array
}

export interface Http {
  /** Resolves on 2xx with the whole body, inflated; everything else is a `ConnectorError` by the connector's rules. */
  request(request: HttpRequest): Promise<HttpResponse>
  /** Members of the token answer that `AuthKind.keep` named. */
  token(name: string): Promise<string | undefined>
}

// ---------------------------------------------------------------------------------------------------------- source
export interface Source {
  /** Strict schema of `source.options`. */
  options: Validator<JsonObject>
  /** Rows held back behind the source's clock where the flow does not say, milliseconds. */
  settleMs?: number
  /** Resolution of the stamps that bounds are cut to, milliseconds. */
  stampMs?: number
  objects(session: Session, parent?: string): AsyncIterable<ObjectInfo>
  describe(session: Session, object: string, options: JsonObject): Promise<ObjectSchema>
  /** Once per run; its answer is stored, and everything after it depends on the stored answer. */
  plan(session: Session, ask: Ask): Promise<Plan>
  /** An asynchronous export whose result is the ranges to read, of plans with `job`. */
  job?: Job<Plan, Range[]>
  /** Pages of a range, from a cursor of an earlier page (`null`: from the start), in the plan's order. */
  read(session: Session, plan: Plan, range: Range, from: Json | null): AsyncIterable<Page>
  /** Records of the plan's window as the source counts them now; `null` where it cannot for this object. */
  count?(session: Session, plan: Plan): Promise<number | null>
  /** The lane's next state from every range's `Page.end`, in the plan's order; absent: the state stays as it is. */
  finish?(session: Session, plan: Plan, ends: Json[]): Promise<Json>
  /** Deletes the job, acknowledges the delta. After `done` only. */
  release?(session: Session, plan: Plan, how: 'done' | 'void' | 'dropped'): Promise<void>
  /** Objects are patterns of files, `format`, `csv` and `schema` options of theirs; a sample guesses these. */
  files?: { sample(session: Session, pattern: string): Promise<JsonObject> }
  /** Objects are kinds of events or patterns of kinds, `schema` is an option; what is read is `Session.inbox`. */
  events?: true
}

export interface Ask {
  object: string
  options: JsonObject
  schema: ObjectSchema
  /** Fields to read, in output order of the source's schema; key and cursor fields are always among them. */
  fields: string[]
  /** The source may push down any superset of it; the core applies it again. */
  filter: Filter | null
  mode: 'incremental' | 'full' | 'window'
  includeDeleted: boolean
  cursorField: string | null
  /** The state of the lane's newest `done` entry; null at first. */
  state: Json
  /** Window of stamps, from ≤ stamp < to, ISO instants; `from` absent: from the beginning. */
  from?: string
  to?: string
  /** Upper bound that the trigger sets (nominal time), epoch ms; the source's clock minus settle may be lower. */
  ceiling: number | null
  settleMs: number
  /** How many ranges can be read at once. */
  parallel: number
  /** So many records are enough, whichever they are: somebody looks at some. Absent: all are wanted. */
  most?: number
  /** A job was refused: plan without one. */
  noJob?: true
}

export interface Plan {
  /** Which of the vendor's interfaces is used: `rest`, `bulk`. */
  api: string
  /** What `read` needs, in the connector's own words. */
  request: Json
  ranges: Range[]
  /** The ranges are what `Source.job` gives; until then there are none. */
  job?: true
  /** Where this run stops reading: the next watermark, an ISO instant; null where the lane has no stamps. */
  bound: string | null
  /** The stamp that the window starts at; null: everything. */
  from: string | null
  /** The cursor field the order rests on; null for sources with another state. */
  cursorField: string | null
  /** The part of the filter that the source applies. */
  pushed: Filter | null
  order: 'stamp' | 'key' | 'none'
  /** The same record may come twice in one plan. */
  repeats: boolean
  /** ISO instant after which `read` can no longer go on. */
  expires?: string
  /** Records in the window when it was planned (C0); null where the source cannot count. */
  counted: number | null
  /** Rows past the bound that settle holds back; null where it was not counted. */
  heldBack: number | null
  /** Plain sentences for the run's report. */
  notes: string[]
}

export interface Range {
  /** [a-z0-9-]{1,40}, unique in the plan: it stands in file names. */
  id: string
  spec: Json
}

export type Op = 'upsert' | 'delete'

export interface Page {
  body: Uint8Array | Row[]
  shape: Shape
  /** One op for the page, or the field that tells and what its values mean. */
  op?: Op | { field: string; map: Record<string, Op | 'drop'> }
  /** Where to go on after this page; null: the vendor's own end, nothing else. */
  next: Json | null
  /** Beside `next: null`: what the range's end says to `finish`, a delta token or the newest stamp of a channel. */
  end?: Json
  /** Readable position after the page: `2,000 of 18,200, at 2026-05-06T11:56:44Z`. */
  position: string
  /** How many records the source says the page has; another number is an error of the page. */
  records?: number
}

/** Without a header line in the page `columns` names the fields; `quote` '' is none, absent is `"`. */
export interface CsvShape {
  format: 'csv'
  delimiter: string
  header: boolean
  nullText: string | null
  /** The source has no empty texts: it writes nulls as `""`. */
  noEmpty?: true
  quote?: string
  columns?: string[]
}

/** A record as values by source field name; for sources whose pages are not worth scanning as bytes. */
export type Row = Record<string, Json | bigint | Uint8Array | undefined>

/** How the bytes of a page hold records. */
export type Shape =
  | { format: 'rows' }
  /** JSON whose records lie in the array at `path`; `ignore` names members that are no fields (`attributes`). */
  | { format: 'json'; path: string[]; ignore?: string[] }
  | CsvShape
  | { format: 'jsonl'; badLines?: 'reject' } // a line that is no object is the page's fault, or its own alone
  | { format: 'parquet' }

/** AND over fields, AND over the operators of a field. Text is compared case-sensitively by code point. */
export type Filter = Record<string, Condition>
export interface Condition {
  eq?: FilterValue
  ne?: FilterValue
  gt?: FilterValue
  gte?: FilterValue
  lt?: FilterValue
  lte?: FilterValue
  in?: FilterValue[]
  between?: [FilterValue, FilterValue]
  contains?: string
  isNull?: boolean
}
export type FilterValue = string | number | boolean

// ------------------------------------------------------------------------------------------------------------ jobs
/** Work a vendor does on its own time. `token` is stable over retries; the reference is stored before it is used. */
export interface Job<In, Out> {
  /** Finds a job of this token that an earlier attempt submitted and lost. */
  find?(session: Session, input: In, token: string): Promise<Json | null>
  submit(session: Session, input: In, token: string): Promise<Json>
  /** `refused`: the vendor will not do it this way; the lane is planned again without jobs. */
  poll(session: Session, ref: Json): Promise<{ waitMs: number } | { ready: Out } | { refused: string }>
  /** Stops it where it runs; of an export it also removes what it made. Any number of times. */
  cancel(session: Session, ref: Json): Promise<void>
}

// ----------------------------------------------------------------------------------------------------- destination
export interface Destination {
  /**
   * Files: a store that keeps the commit protocol's ledger beside the data, typed in `lake/store.ts`. `touched`: the
   * keys, or beginnings of keys ending in `/`, that are wanted; absent: all.
   */
  lake?(session: Session, touched?: string[]): unknown
  /** The lake's key service, for state that is kept in it; null: none is set. Typed in `lake/data-keys.ts`. */
  dataKeys?(session: Session): unknown
  table?: Table
  record?: RecordSink
}

export type { Load, LoadResult, Table, TableEntry, TableFile, TableShape } from './table.ts'
export type { Delivery, Events, Inbox, KeptEvent, RawRequest, Verdict } from './events.ts'
