/**
 * One unit: from its predecessor's cursor, page by page, into closed but invisible files, and then its record.
 *
 * Laws
 * - What it starts from is its predecessor's record, never a heartbeat. Two attempts write files of different names.
 * - It ends after a page, never within one: its cursor is the page's.
 * - It ends early when the worker drains, or when the connection's calls of the day are used up; it ends the range only
 *   at the vendor's own end signal.
 */
import type { Json, Page } from '../connectors/connector.ts'
import { ConnectorError } from '../connectors/errors.ts'
import type { RunPlan } from '../connectors/lake/protocol.ts'
import { readReplay, type ReplayRange } from '../connectors/lake/replay.ts'
import { openLookback } from '../connectors/lake/seen.ts'
import { beginUnit, readUnit } from '../connectors/lake/units.ts'
import type { Deps } from './deps.ts'
import type { ExtractInput, UnitDigest } from './digests.ts'
import { sourceOf } from './lane.ts'
import type { StoredRecipe } from './recipe.ts'
import { planned } from './stored-plan.ts'
import { step } from './step.ts'
import { UnitFiles } from './unit-files.ts'

/** A unit is what a crash repeats: this long at most, unless one page takes longer. */
const UNIT_MS = 3 * 60_000

export const extractUnit = (deps: Deps) =>
  step(async (input: ExtractInput, context): Promise<UnitDigest> => {
    const { at, plan, connector, session, budget } = await planned(deps, input, context)
    const { range: id, seq, previous } = input
    const range = plan.plan.ranges.find((one) => one.id === id)
    if (!range) throw new Error(`the plan has no range ${id}`)
    const before = previous === null ? null : await readUnit(at, plan.run, id, previous)

    await budget.admit(`read ${plan.source.object}`)
    const unit = beginUnit(at, plan, { range: id, seq, previous })
    try {
      const lookback = await openLookback(at, plan)
      const replay = plan.kind.kind === 'replay' ? (range.spec as unknown as ReplayRange) : null
      const files = await UnitFiles.open(deps, unit, plan, plan.recipe as unknown as StoredRecipe, lookback, replay)
      const cursor = before?.cursor ?? null
      const pages = replay
        ? readReplay(at.store, range, cursor)
        : sourceOf({ connector, session }).read(session, plan.plan, range, cursor)
      const started = performance.now()
      let last: Page | undefined
      for await (const page of pages) {
        await files.page(page)
        last = page
        context.beat(page.position)
        if (page.next === null || files.full || deps.drain.aborted || performance.now() - started > UNIT_MS) break
        const spent = await budget.spent()
        if (!spent) continue
        context.notes.add(`${spent.reason}: reading waits until some are given back.`)
        break
      }
      if (!last) throw stopped(connector.name, plan)
      const end = last.next === null
      const reached: Json = last.next ?? last.end ?? null
      const record = await unit.finish({
        cursor: reached,
        end,
        position: last.position,
        counts: await files.close(),
        notes: [...context.notes],
        ...(plan.delivery?.kind === 'table' ? { widths: files.widths } : {}),
        ...(lookback ? { seen: lookback.part() } : {}),
      })
      return {
        unit: record.id,
        seq: record.seq,
        end: record.end,
        files: record.files.length,
        counts: record.counts,
        position: record.position,
        notes: record.notes,
        calls: context.calls.made,
      }
    } catch (error) {
      await unit.abandon()
      throw error
    }
  })

function stopped(connector: string, plan: RunPlan): ConnectorError {
  return new ConnectorError({
    connector,
    doing: `read ${plan.source.object}`,
    kind: 'answer',
    reason: 'it gave no page, not even an empty last one',
  })
}
