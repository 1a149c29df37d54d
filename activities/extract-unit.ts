/**
 * One unit: from its predecessor's cursor, page by page, into closed but invisible files, and then its record.
 *
 * Laws
 * - What it starts from is its predecessor's record, never a heartbeat. Two attempts write files of different names.
 * - It ends after a page, never within one: its cursor is the page's.
 * - Its records are worked on in a thread; a heartbeat waits for none of them.
 * - It ends early when the worker drains, or when the connection's calls of the day are used up; it ends the range only
 *   at the vendor's own end signal.
 */
import type { Json } from '../connectors/connector.ts'
import { ConnectorError } from '../connectors/errors.ts'
import type { RunPlan } from '../connectors/lake/protocol.ts'
import { readReplay, type ReplayRange } from '../connectors/lake/replay.ts'
import { openLookback } from '../connectors/lake/seen.ts'
import { beginUnit, firstDropped, readUnit } from '../connectors/lake/units.ts'
import type { Deps } from './deps.ts'
import type { ExtractInput, UnitDigest } from './digests.ts'
import { fillFiles } from './fill-files.ts'
import { sourceOf } from './lane.ts'
import type { StoredRecipe } from './recipe.ts'
import { tellBlock } from './metrics.ts'
import { planned } from './stored-plan.ts'
import { step } from './step.ts'
import { openFiles } from './unit-files.ts'
import type { UnitFiles } from './unit-files.ts'

/** A unit is what a crash repeats: this long at most, unless one page takes longer. */
const UNIT_MS = 3 * 60_000

export const extractUnit = (deps: Deps) =>
  step(async (input: ExtractInput, context): Promise<UnitDigest> => {
    const reading = new AbortController()
    const signal = AbortSignal.any([context.signal, reading.signal])
    const { at, plan, connector, session, budget } = await planned(deps, input, { ...context, signal })
    const { range: id, seq, previous } = input
    const range = plan.plan.ranges.find((one) => one.id === id)
    if (!range) throw new Error(`the plan has no range ${id}`)
    const before = previous === null ? null : await readUnit(at, plan.run, id, previous)

    await budget.admit(`read ${plan.source.object}`)
    const unit = beginUnit(at, plan, { range: id, seq, previous })
    let files: UnitFiles | undefined
    try {
      const replay = plan.kind.kind === 'replay' ? (range.spec as unknown as ReplayRange) : null
      files = await openFiles(deps.threads, {
        unit,
        plan,
        recipe: plan.recipe as unknown as StoredRecipe,
        lookback: await openLookback(at, plan),
        replay,
        key: (name) => deps.key(name),
        signal: context.signal,
      })
      const cursor = before?.cursor ?? null
      const pages = replay
        ? readReplay(at.store, range, cursor)
        : sourceOf({ connector, session }).read(session, plan.plan, range, cursor)
      const started = performance.now()
      const last = await fillFiles(files, pages, {
        threads: deps.threads,
        giveUp: () => reading.abort(),
        over: () => deps.drain.aborted || performance.now() - started > UNIT_MS,
        async spent() {
          const spent = await budget.spent()
          if (spent) context.notes.add(`${spent.reason}: reading waits until some are given back.`)
          return spent !== null
        },
        worked: (page) => context.beat(page.position),
      })
      if (!last) throw stopped(connector.name, plan)
      const end = last.next === null
      const reached: Json = last.next ?? last.end ?? null
      const { counts, widths, seen } = await files.close()
      const record = await unit.finish({
        cursor: reached,
        end,
        position: last.position,
        counts,
        notes: [...context.notes],
        ...(plan.delivery?.kind === 'table' ? { widths } : {}),
        ...(seen ? { seen } : {}),
      })
      tellBlock(deps.threads.longestBlockMs())
      return {
        unit: record.id,
        seq: record.seq,
        end: record.end,
        files: record.files.length,
        counts: record.counts,
        position: record.position,
        ...firstDropped(record.files),
        notes: record.notes,
        calls: context.calls.made,
      }
    } catch (error) {
      await files?.stop()
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
