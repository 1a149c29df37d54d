/**
 * Lanes for kill tests: flows that share a lake, a queue and a worker process, each with an org of its own, so that
 * what was read twice is known lane by lane.
 *
 * Law: what a lane's files must hold is taken from the org itself, run by run, never from what the product says it
 * read.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { RunResult } from '../../activities/digests.ts'
import type { TestTemporal } from '../global-setup.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox, SandboxOptions } from '../sandboxes/salesforce/salesforce.ts'
import { compare } from './compare.ts'
import type { Format, TruthRow } from './compare.ts'
import { dataFiles, entriesOf, workOf } from './lane-files.ts'
import type { Entry } from './lane-files.ts'
import type { LakeKind } from './lake-place.ts'
import type { GateHang, S3Gate } from './s3-gate.ts'
import { SECRET, openStage } from './stage.ts'
import type { Stage, WorkerProcess } from './stage.ts'

/** JSON lines of an Account take 1.4 kB: a unit ends after this many, at a file size of 1 MB and pages of 100. */
export const UNIT_ROWS = 800
export const PAGE_ROWS = 100

export interface KillStage {
  stage: Stage
  lanes: Map<string, KillLane>
  /** A worker for all lanes at once; `hangs`: calls that the disk never answers to it (`hanging-disk.mjs`). */
  startWorker(hangs?: Hang[], options?: { slots?: number; env?: Record<string, string> }): Promise<WorkerProcess>
  /**
   * `kill -9`, and Temporal is told that what the process kept in memory is gone: it would find out in ten seconds.
   */
  kill(worker: WorkerProcess): Promise<void>
  /** Temporal is told that what workers kept in memory is gone. */
  forget(): Promise<void>
  stop(): Promise<void>
}

export interface Hang {
  name: string
  call: 'link' | 'rename' | 'unlink' | 'sync'
  path: string
  /** Where the lane's files become visible. */
  data: string
  done: number
  /** Of a disk: the code of an error, in place of the silence, of one call. */
  fails?: string
}

/** The request that does to a bucket what the call does to a directory. */
export function asRequest({ name, call, path, data, done }: Hang): GateHang {
  const isStaged = path.includes('/staged/')
  if (call === 'unlink') {
    if (isStaged) return { name, method: 'DELETE', path: `${data}/.*uploadId=`, done }
    return { name, method: 'DELETE', path: `${path}(?!.*uploadId=)`, done }
  }
  if (call === 'sync' && isStaged) return { name, method: 'PUT', path: `${data}/.*partNumber=`, done }
  if (call === 'rename' && path.startsWith(data)) return { name, method: 'POST', path: `${data}/.*uploadId=`, done }
  return { name, method: 'PUT', path, done }
}

export interface LaneOptions {
  source?: { read?: 'full'; options?: object }
  destination?: { format?: Format; write?: 'replace'; commitEvery?: object }
  salesforce?: SandboxOptions
  /** Where the lane's workers reach its org and its bucket, if something stands in front of them. */
  through?: { org?: LaneProxy; lake?: string }
}

/** Something that stands in front of an org, which is told later where that is. */
export interface LaneProxy {
  url: string
  leadTo(url: string): Promise<void>
}

/** `flows`: what differs of each lane's destination, by name. */
export async function openKillStage(
  temporal: TestTemporal,
  flows: Record<string, LaneOptions>,
  salesforce: SandboxOptions,
  lake?: LakeKind,
): Promise<KillStage> {
  const stage = await openStage(temporal, { salesforce: { accounts: 1, opportunities: 0, contacts: 0 }, lake })
  const lanes = new Map<string, KillLane>()
  for (const [name, options] of Object.entries(flows)) lanes.set(name, await openLane(stage, name, options, salesforce))
  const forgetAll = async (): Promise<void> => {
    const ids = [...lanes.values()].flatMap((lane) => [lane.runId, lane.laneId])
    await Promise.all(ids.map((id) => forget(stage, id)))
  }
  return {
    stage,
    lanes,
    startWorker(hangs = [], { slots = 40, env = {} } = {}) {
      const args = ['--task-queue', stage.queue, '--slots', String(slots)]
      stage.s3?.gate.hang(hangs.map(asRequest))
      if (stage.s3 || hangs.length === 0) return stage.startWorker({ args, env })
      const nodeArgs = ['--import', new URL('./hanging-disk.mjs', import.meta.url).href]
      return stage.startWorker({ args, nodeArgs, env: { ...env, HANGS: JSON.stringify(hangs) } })
    },
    async kill(worker) {
      await worker.kill('SIGKILL')
      await forgetAll()
    },
    forget: forgetAll,
    async stop() {
      await stage.stop()
      for (const { sandbox } of lanes.values()) await sandbox.stop()
    },
  }
}

/** A lane with an org and a connection of its own; workers that start later know it. */
async function openLane(
  stage: Stage,
  name: string,
  { source, destination = {}, salesforce: own, through }: LaneOptions,
  salesforce: SandboxOptions,
): Promise<KillLane> {
  const file = join(stage.directory, 'lakeward.yaml')
  const installation = parse(readFileSync(file, 'utf8')) as { connections: Record<string, object> }
  const options = { clientId: 'stage-client', clientSecret: SECRET, opportunities: 0, contacts: 0, pageRows: PAGE_ROWS }
  const instanceUrl = through?.org ? { instanceUrl: through.org.url } : {}
  const sandbox = await startSalesforce({ ...options, ...salesforce, ...own, ...instanceUrl })
  await through?.org?.leadTo(sandbox.url)
  const [crm, lake] = [`${stage.crm}-${name}`, through?.lake === undefined ? 'lake' : `lake-${name}`]
  installation.connections[crm] = {
    ...installation.connections[stage.crm],
    loginUrl: through?.org?.url ?? sandbox.url,
  }
  if (through?.lake !== undefined) {
    installation.connections[lake] = { ...installation.connections['lake'], endpoint: through.lake }
  }
  const flow = stage.flow(
    stringify({
      name,
      source: { ...source, connection: crm, settle: '0s', objects: [{ object: 'Account', into: name }] },
      destination: { connection: lake, prefix: 'raw', format: 'jsonl', fileSize: '1MB', ...destination },
    }),
  )
  writeFileSync(file, stringify(installation))
  return new KillLane(stage, sandbox, name, flow, destination.format ?? 'jsonl')
}

async function forget({ client }: Stage, workflowId: string): Promise<void> {
  const { namespace } = client.options
  // Not running, or not started: then there is nothing to forget.
  await client.workflowService.resetStickyTaskQueue({ namespace, execution: { workflowId } }).catch(() => {})
}

/** How many files of each kind a lane has; what a kill leaves says at which step it struck. */
export interface Left {
  plans: number
  units: number
  staged: number
  entries: number
  outcomes: number
  data: number
}

export class KillLane {
  readonly stage: Stage
  readonly sandbox: Sandbox
  readonly name: string
  readonly flow: object & { name: string }
  /** What a reader of the files must find. */
  readonly expected: TruthRow[] = []
  /** What it may find as well, each once: records that changed while they were read. */
  readonly optional: TruthRow[] = []
  readonly format: Format
  #known = new Map<string, string>()
  #result: Promise<RunResult> | undefined
  runId = ''

  constructor(stage: Stage, sandbox: Sandbox, name: string, flow: object & { name: string }, format: Format) {
    this.stage = stage
    this.sandbox = sandbox
    this.name = name
    this.flow = flow
    this.format = format
  }

  get folder(): string {
    return `raw/${this.name}`
  }

  get laneId(): string {
    return `flow/${this.flow.name}/Account`
  }

  async start(): Promise<void> {
    const run = await this.stage.start(this.flow)
    this.runId = run.workflowId
    this.#result = run.result()
    this.#result.catch(() => {}) // seen by who asks for it
  }

  /** Of the run that was started last. */
  async result(): Promise<RunResult> {
    if (!this.#result) throw new Error(`${this.name} was not started`)
    return this.#result
  }

  /** Nobody will go on with the run: it ends as a run of a cluster ends that is lost. */
  async giveUp(): Promise<void> {
    for (const id of [this.laneId, this.runId]) await this.stage.client.workflow.getHandle(id).terminate('given up')
  }

  async cancel(): Promise<void> {
    await this.stage.client.workflow.getHandle(this.runId).cancel()
  }

  /** Rows that the org has and the next run has to bring: call it before the run, while nothing changes. */
  expectChanges(): number {
    let changed = 0
    for (const row of this.sandbox.control.truth('Account', { includeDeleted: true })) {
      const [id, stamp] = [row['Id'] as string, row['SystemModstamp'] as string]
      if (this.#known.get(id) === stamp) continue
      this.#known.set(id, stamp)
      this.expected.push(row)
      changed++
    }
    return changed
  }

  /** Nothing of what was expected came, and it need not come as it was: the next run brings what there is then. */
  forget(): void {
    this.#known.clear()
    this.expected.length = 0
  }

  /** A run that replaces has to bring all there is, and nothing else stays. */
  expectWhole(): void {
    this.expected.length = 0
    this.expected.push(...this.sandbox.control.truth('Account'))
  }

  change(rows: number): void {
    const { control } = this.sandbox
    const ids = control.ids({ object: 'Account', limit: rows })
    control.update({ object: 'Account', ids, values: { Name: `changed at ${this.expected.length}` } })
    control.insert({ object: 'Account', count: 5 })
  }

  async left(): Promise<Left> {
    await this.stage.pull()
    return this.lying()
  }

  /** As it was when the lake was pulled last. */
  lying(): Left {
    const { plans, units, staged } = workOf(this.stage, this.flow.name, 'Account')
    const entries = this.entries()
    return {
      plans: plans.length,
      units: units.length,
      staged: staged.length,
      entries: entries.length,
      outcomes: entries.filter(({ outcome }) => outcome).length,
      data: dataFiles(this.stage, this.folder).length,
    }
  }

  entries(): Entry[] {
    return entriesOf(this.stage, this.flow.name, 'Account')
  }

  /** Files of the entries; a fence has none. */
  #files(): { n: number; key: string }[] {
    return this.entries().flatMap(({ n, kind, files }) =>
      kind === 'fence' ? [] : files.map(({ key }) => ({ n, key })),
    )
  }

  /** Files that are visible and stand in no entry. */
  uncommitted(): string[] {
    const visible = dataFiles(this.stage, this.folder)
    const committed = new Set(this.#files().map(({ key }) => key))
    return visible.filter((path) => !committed.has(path.slice(this.stage.lake.length + 1)))
  }

  /** Files that became visible before their entry was there. */
  visibleTooEarly(): string[] {
    const { s3 } = this.stage
    return s3 ? this.#completedTooEarly(s3.gate.seen) : this.#renamedTooEarly()
  }

  /** By the order of requests: a file becomes visible when its upload is completed. */
  #completedTooEarly(seen: S3Gate['seen']): string[] {
    const first = (method: string, part: string) =>
      seen.findIndex((one) => one.method === method && one.path.includes(part))
    const entry = (n: number) => `/_lakeward/${this.flow.name}/Account/commits/${String(n).padStart(8, '0')}.json`
    return this.#files()
      .filter(({ n, key }) => first('POST', `/${key}?uploadId=`) < first('PUT', entry(n)))
      .map(({ key }) => key)
  }

  /** By ctime: it is the time of the rename, and of an entry's link. */
  #renamedTooEarly(): string[] {
    const commits = join(this.stage.lake, '_lakeward', this.flow.name, 'Account', 'commits')
    const time = (path: string): bigint => statSync(path, { bigint: true }).ctimeNs
    const visible = new Set(dataFiles(this.stage, this.folder))
    const files = this.#files().map(({ n, key }) => ({ n, path: join(this.stage.lake, key) }))
    return files
      .filter(
        ({ n, path }) => visible.has(path) && time(path) < time(join(commits, `${String(n).padStart(8, '0')}.json`)),
      )
      .map(({ path }) => path)
  }

  /** Data files that the manifests of the current generation name, in the order of paths. */
  manifested(): string[] {
    const done = this.entries().filter(({ outcome }) => outcome?.outcome === 'done')
    const generation = done.at(-1)?.generation
    const current = done.filter((entry) => entry.generation === generation)
    const keys = current.flatMap(({ outcome }) => outcome?.manifest.map(({ key }) => key) ?? [])
    return keys.map((key) => join(this.stage.lake, key)).toSorted()
  }

  async differs(types: Record<string, string>) {
    const { folder, stage, expected, format } = this
    return compare(join(stage.lake, folder), format, types, expected)
  }
}
