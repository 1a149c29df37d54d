/**
 * What a lane was made like by its last entry, against what this run would make it: flows are edited between runs, and
 * what that means for the files that are there is decided here. The table is in `docs/drift.md`.
 *
 * Laws
 * - Refused is what would have readers of one folder miss rows or read them wrong, and what leaves the watermark
 *   without meaning. Everything else goes on, and is told: earlier files stay as they are.
 * - Columns are not judged here: whatever the steps are, what becomes of each column is `drift.ts`.
 */
import type { DestinationSpec, Partition } from '../flow-destination.ts'
import { DriftError } from './drift.ts'

/** Stored with every entry. What is long, or may hold values, is there as a hash. */
export interface LaneShape {
  /** The source's name of the object. */
  object: string
  /** Source fields that identify a record. */
  keys: string[]
  /** What the watermark is a stamp of; null: the order rests on no stamp, or the field is no longer there. */
  cursorField: string | null
  read: 'incremental' | 'full'
  write: DestinationSpec['write']
  /** Of the files; or the table or target object. */
  folder: string
  format: string
  layout: string
  /** As written: `day(SystemModstamp)`. */
  partitionBy: string[]
  where: string
  options: string
  /** `hash 1f3a…` each, in order. */
  steps: string[]
}

interface Change {
  what: string
  /** Why it cannot be; absent: it is told. */
  refused?: string | undefined
  by?: 'source'
}

const ONE_FOLDER = 'readers of the folder would miss rows, or read them wrong'

/**
 * Sentences for the report. `since`: the entry that `before` is of; `anew`: all that is there is replaced, or a new
 * generation begins, which nothing can contradict. Throws `DriftError` for what cannot go on.
 */
export function laneChanges(
  before: LaneShape,
  now: LaneShape,
  { since, anew = false }: { since: number; anew?: boolean },
): string[] {
  const changes = changesOf(before, now)
  if (changes.length === 0) return []
  if (anew) return [told(changes, since, 'This run begins anew.')]
  const refused = changes.filter((change) => change.refused !== undefined)
  if (refused.length === 0) {
    return [told(changes, since, 'Earlier files stay as they are; --full reads everything anew.')]
  }
  const bySource = refused.every(({ by }) => by === 'source')
  const reasons = refused.map(({ what, refused: why }) => `${what} (${why})`)
  throw new DriftError(
    bySource ? 'DriftRefused' : 'FlowChanged',
    `since entry ${since} ${reasons.join('; ')}. Run once with --full to begin anew (--keep-old leaves earlier files)` +
      (bySource ? '.' : ', or take the change back.'),
  )
}

function told(changes: Change[], since: number, end: string): string {
  const who = changes.every(({ by }) => by === 'source') ? 'source' : 'flow'
  return `The ${who} has changed since entry ${since}: ${changes.map(({ what }) => what).join('; ')}. ${end}`
}

function changesOf(before: LaneShape, now: LaneShape): Change[] {
  const changes: Change[] = []
  const differ = (name: 'object' | 'folder' | 'format' | 'read' | 'write', what: string, refused?: string): void => {
    if (before[name] === now[name]) return
    changes.push({ what: `${what} is ${now[name] || 'empty'} and was ${before[name] || 'empty'}`, refused })
  }
  differ('object', 'the object', 'these are other records')
  if (!sameNames(before.keys, now.keys)) {
    const what = `records are identified by ${now.keys.join(', ') || 'nothing'}, and were by ${before.keys.join(', ') || 'nothing'}`
    changes.push({ what, refused: 'the newest row of a record could not be told', by: 'source' })
  }
  cursorChange(before, now, changes)
  differ('read', 'read')
  differ('write', 'write')
  differ('folder', 'the folder', 'it would hold the new rows alone')
  differ('format', 'format', ONE_FOLDER)
  const places = [before, now].map(({ partitionBy, layout }) =>
    partitionBy.length > 0 ? `[${partitionBy.join(', ')}] in layout ${layout}` : 'no partitions',
  )
  if (places[0] !== places[1]) changes.push({ what: `${places[1]}, and was ${places[0]}`, refused: ONE_FOLDER })
  if (before.where !== now.where) changes.push({ what: 'its filter is another' })
  if (before.options !== now.options) changes.push({ what: 'its options are others' })
  const steps = stepChanges(before.steps, now.steps)
  if (steps) changes.push({ what: steps })
  return changes
}

/** A read that takes everything asks no watermark. */
function cursorChange(before: LaneShape, now: LaneShape, changes: Change[]): void {
  if (now.read === 'full' || before.cursorField === null) return
  const lost = 'the watermark says nothing about another field'
  if (now.cursorField === null) {
    const what = `field ${before.cursorField}, which told what had changed, has vanished`
    changes.push({ what, refused: lost, by: 'source' })
  } else if (!sameNames([before.cursorField], [now.cursorField])) {
    changes.push({ what: `cursorField is ${now.cursorField} and was ${before.cursorField}`, refused: lost })
  }
}

/** As `same-fields.ts` has it: another spelling is no other field. */
function sameNames(before: string[], now: string[]): boolean {
  return before.join().toLowerCase() === now.join().toLowerCase()
}

function stepChanges(before: string[], now: string[]): string | null {
  const kinds = (steps: string[], without: string[]): string[] => {
    const left = [...without]
    return steps.flatMap((step) => {
      const at = left.indexOf(step)
      if (at >= 0) left.splice(at, 1)
      return at >= 0 ? [] : [step.slice(0, step.indexOf(' '))]
    })
  }
  const added = kinds(now, before)
  const removed = kinds(before, now)
  const moved = added.length + removed.length === 0 && before.join() !== now.join()
  if (moved) return 'its steps are in another order'
  const edited = added.filter((kind) => removed.includes(kind))
  const only = (some: string[]): string[] => some.filter((kind) => !edited.includes(kind))
  const said = [
    [only(added), 'new'],
    [only(removed), 'gone'],
    [edited, 'changed'],
  ] as const
  const parts = said.filter(([some]) => some.length > 0).map(([some, how]) => `${[...new Set(some)].join(', ')} ${how}`)
  return parts.length > 0 ? `its steps are others (${parts.join('; ')})` : null
}

/** As a flow document has it. */
export function partitionText(partition: Partition): string {
  if (partition.by === 'field') return partition.field
  if (partition.by === 'runId' || partition.by === 'schemaVersion') return partition.by
  return `${partition.by}(${partition.of ?? 'run'})`
}
