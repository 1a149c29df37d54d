/**
 * Removing what a run left: its uploads, its unit records, its plan, in this order, because the plan is what tells of
 * the rest.
 *
 * Law: who sweeps a run has made sure before that it cannot commit any more what is swept: it is fenced off, or every
 * entry it will ever have has its outcome. Only uploads whose names are the run's are touched.
 */
import { readDocument, unitShape } from './documents.ts'
import { AT_ONCE, inParallel } from './in-parallel.ts'
import { laneKeys } from './keys.ts'
import { readPlan } from './plans.ts'
import type { LakeLane, RunPlan } from './protocol.ts'

export async function sweepRun(at: LakeLane, plan: RunPlan): Promise<void> {
  const { store } = at
  const keys = laneKeys(at.lane)
  const folders = [plan.prefix === '' ? '' : `${plan.prefix}/`, keys.quarantine]
  for (const folder of folders) {
    const uploads: { key: string; upload: string }[] = []
    for await (const upload of store.staged(keys.area(plan.run), folder)) {
      if (isOf(plan, upload.key)) uploads.push(upload)
    }
    let aborted = 0
    await inParallel(uploads, AT_ONCE, async (upload) => {
      await store.abort(upload)
      if (++aborted % 100 === 0) at.beat(`removing staged files: ${aborted} of ${uploads.length}`)
    })
  }
  const records: string[] = []
  for await (const { key } of store.list(keys.runUnits(plan.run))) records.push(key)
  await inParallel(records, AT_ONCE, (key) => store.delete(key))
  await store.delete(keys.plan(plan.run))
}

function isOf(plan: RunPlan, key: string): boolean {
  return key.slice(key.lastIndexOf('/') + 1).startsWith(`${plan.files}-`)
}

/**
 * Removes unit records whose run has no plan any more: an attempt that woke up after its run was swept wrote them.
 * Their run was closed when its plan went, so no fence is needed.
 */
export async function sweepOrphans(at: LakeLane, run: string, records: string[]): Promise<void> {
  // The listing shows plans before units: a run that began in between has its plan by now.
  if ((await readPlan(at, run)) !== null) return
  await inParallel(records, AT_ONCE, async (key) => {
    const record = await readDocument(at.store, key, unitShape)
    for (const file of record?.files ?? []) await at.store.abort(file)
    await at.store.delete(key)
  })
}
