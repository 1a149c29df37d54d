/**
 * Removing what a run left: its uploads, its export, its unit records, its plan, in this order, because the plan is
 * what tells of the rest.
 *
 * Laws
 * - Who sweeps a run has made sure before that it cannot commit any more what is swept: it is fenced off, or every
 *   entry it will ever have has its outcome. Only uploads whose names are the run's are touched.
 * - A run stages nothing before its plan is there, and its plan goes when it is closed: what is staged, or recorded,
 *   and has no plan is of an attempt that woke up after its run was swept, and nobody's.
 */
import { readDocument, unitShape } from './documents.ts'
import { AT_ONCE, inParallel } from './in-parallel.ts'
import { laneKeys, runOfFile } from './keys.ts'
import { readPlan } from './plans.ts'
import type { LakeLane, RunPlan } from './protocol.ts'

/** `orphans`: what is staged here for this lane without a plan goes as well. */
export async function sweepRun(at: LakeLane, plan: RunPlan, { orphans = false } = {}): Promise<void> {
  const { store } = at
  const keys = laneKeys(at.lane)
  const nobodys = new Map<string, Upload[]>()
  for (const folder of [plan.prefix === '' ? '' : `${plan.prefix}/`, keys.quarantine]) {
    const own: Upload[] = []
    for await (const upload of store.staged(keys.staged, folder)) {
      const run = runOfFile(at.lane, upload.key)
      if (isOf(plan, upload.key)) own.push(upload)
      else if (orphans && run !== null) nobodys.set(run, [...(nobodys.get(run) ?? []), upload])
    }
    await abortAll(at, own)
  }
  // The plan is looked for after the upload was seen, so a run that began meanwhile has its plan by now.
  for (const [run, uploads] of nobodys) if ((await readPlan(at, run)) === null) await abortAll(at, uploads)
  await at.drop?.(plan)
  const records: string[] = []
  for await (const { key } of store.list(keys.runUnits(plan.run))) records.push(key)
  await inParallel(records, AT_ONCE, (key) => store.delete(key))
  if (plan.plan.job) {
    for (const what of ['ranges', 'job'] as const) await store.delete(keys.exported(plan.run, what))
  }
  await store.delete(keys.plan(plan.run))
}

interface Upload {
  key: string
  upload: string
}

async function abortAll(at: LakeLane, uploads: Upload[]): Promise<void> {
  let aborted = 0
  await inParallel(uploads, AT_ONCE, async (upload) => {
    await at.store.abort(upload)
    if (++aborted % 100 === 0) at.beat(`removing staged files: ${aborted} of ${uploads.length}`)
  })
}

function isOf(plan: RunPlan, key: string): boolean {
  return key.slice(key.lastIndexOf('/') + 1).startsWith(`${plan.files}-`)
}

/**
 * Removes unit records whose run has no plan any more: an attempt that woke up after its run was swept wrote them.
 * Their run was closed when its plan went, so no fence is needed.
 */
export async function sweepOrphans(at: LakeLane, run: string, records: string[]): Promise<void> {
  // A listing shows plans before units: a run that began in between has its plan by now.
  if ((await readPlan(at, run)) !== null) return
  await inParallel(records, AT_ONCE, async (key) => {
    const record = await readDocument(at.store, key, unitShape)
    for (const file of record?.files ?? []) await at.store.abort(file)
    await at.store.delete(key)
  })
}
