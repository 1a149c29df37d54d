/**
 * A contestant: Lakeward's data plane alone. The connector's plan, its pages over HTTP, threads, files staged in S3 and
 * completed: what a run does without Temporal, without steps and without a ledger.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { StoredRecipe } from '../../activities/recipe.ts'
import type { Json, Plan, Range, Session, Source } from '../../connectors/connector.ts'
import type { RunPlan } from '../../connectors/lake/protocol.ts'
import type { ObjectStore, StagedFile } from '../../connectors/lake/store.ts'
import type { UnitWriter } from '../../connectors/lake/units.ts'
import { act } from './actor.ts'

export interface PlaneTask {
  connection: string
  object: string
  api: 'bulk' | 'rest'
  prefix: string
}

/** As many units as a worker takes on (`worker/tuning.ts`). */
const UNITS_AT_ONCE = availableParallelism() * 2
const FILE_BYTES = 256 * 1024 * 1024

const [built = '', house = ''] = process.argv.slice(2)
const load = <T>(path: string): Promise<T> => import(pathToFileURL(join(built, path)).href) as Promise<T>
const { openParts } = await load<typeof import('../../worker/assemble.ts')>('worker/assemble.js')
const { UnitThreads } = await load<typeof import('../../activities/unit-threads.ts')>('activities/unit-threads.js')
const { openFiles } = await load<typeof import('../../activities/unit-files.ts')>('activities/unit-files.js')
const { fillFiles } = await load<typeof import('../../activities/fill-files.ts')>('activities/fill-files.js')

process.chdir(house)
const parts = await openParts({ installation: join(house, 'lakeward.yaml') })
const threads = new UnitThreads()
const { signal } = new AbortController()

await act(async ({ connection, object, api, prefix }: PlaneTask) => {
  const { connector, session } = await parts.connect(connection, { signal, beat() {}, note() {} })
  const source = connector.source!
  const store = await parts.lake('lake')
  const { parallel } = parts.installation.connections[connection]!.limits
  const plan = await planned(source, session, parallel, { object, api })
  const run = asRun(plan.plan, plan.fields, prefix)
  const waiting = [...plan.ranges]
  const files: StagedFile[] = []
  let rows = 0
  const reader = async (): Promise<void> => {
    for (let range = waiting.shift(); range; range = waiting.shift()) {
      for (let seq = 1, cursor: Json | null = null; ; seq++) {
        const unit = unitOf(store, run, `${range.id}-${seq}`, files)
        const open = await openFiles(threads, {
          ...{ unit, plan: run, recipe: run.recipe as unknown as StoredRecipe, lookback: null, replay: null, signal },
          key: () => Promise.reject(new Error('nothing of the bench is keyed')),
        })
        const last = await fillFiles(open, source.read(session, run.plan, range, cursor), {
          ...{ threads, giveUp() {}, over: () => false, worked() {} },
          spent: () => Promise.resolve(false),
        })
        const { counts } = await open.close()
        rows += counts.written
        cursor = last!.next
        if (cursor === null) break
      }
    }
  }
  await Promise.all(Array.from({ length: UNITS_AT_ONCE }, reader))
  await Promise.all(files.map((file) => store.complete(file)))
  return { rows }
})

async function planned(
  source: Source,
  session: Session,
  parallel: number,
  { object, api }: Pick<PlaneTask, 'object' | 'api'>,
) {
  const options = source.options.parse({ api })
  const schema = await source.describe(session, object, options)
  const plan = await source.plan(session, {
    ...{ object, options, schema, filter: null, mode: 'full', includeDeleted: true, cursorField: null, state: null },
    ...{ fields: schema.fields.map(({ name }) => name), ceiling: null, settleMs: 0, parallel },
  })
  return { plan, fields: schema.fields, ranges: plan.job ? await exported(source, session, plan) : plan.ranges }
}

async function exported(source: Source, session: Session, plan: Plan): Promise<Range[]> {
  const job = source.job!
  const ref = await job.submit(session, plan, 'bench')
  for (;;) {
    const state = await job.poll(session, ref)
    if ('ready' in state) return state.ready
    if ('refused' in state) throw new Error(state.refused)
    await new Promise((resolve) => setTimeout(resolve, state.waitMs))
  }
}

/** What of a run's plan its records are worked on with. */
function asRun(plan: Plan, fields: RunPlan['sourceSchema'], prefix: string): RunPlan {
  const recipe: StoredRecipe = {
    ...{ where: null, transform: [], onInvalid: 'fail', partitionBy: [], op: false, format: 'parquet' },
    ...{ layout: 'lakeward', folder: prefix, fileSizeBytes: FILE_BYTES, runInstant: '2026-01-01T00:00:00Z', runId: '' },
  }
  return {
    ...({ plan, prefix, files: 'plane', run: 'plane', kind: { kind: 'full' } } as unknown as RunPlan),
    sourceSchema: fields,
    outputSchema: fields,
    recipe: recipe as unknown as Json,
    source: { connection: '', connector: 'salesforce', identity: '', object: '' },
  }
}

function unitOf(store: ObjectStore, plan: RunPlan, id: string, files: StagedFile[]): UnitWriter {
  return {
    id,
    lane: { namespaceId: '', namespace: '', flow: 'plane', object: 'plane' },
    async file(folder, extension) {
      const key = [plan.prefix, folder, `${id}-${files.length}.${extension}`].filter(Boolean).join('/')
      const staged = await store.stage({ key, area: '_lakeward/plane', unit: id })
      return {
        key,
        write: (chunk) => staged.write(chunk),
        async close(rows) {
          if (rows > 0) files.push(await staged.close())
          else await staged.abort()
        },
      }
    },
    finish: () => Promise.reject(new Error('there is no ledger')),
    abandon: async () => {},
  }
}
