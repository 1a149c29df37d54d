/**
 * Units: staged files, and then the record that names them.
 *
 * Laws
 * - Two attempts at one unit share no file and no record; which one counts is said by the chain the workflow carries.
 * - The record is written when all files are closed, and after a look at the plan: a plan that is gone means that the
 *   run was closed meanwhile, and this attempt drops what it staged.
 * - A file without rows is never staged.
 */
import { noCounts } from './counts.ts'
import { createOnce, readDocument, unitShape } from './documents.ts'
import { joinKey, laneKeys, nonce, unitId } from './keys.ts'
import { closedMeanwhile, readPlan } from './plans.ts'
import type { CommittedFile, Counts, LakeLane, RunPlan, SeenPart, UnitRecord } from './protocol.ts'
import type { StagedWriter } from './store.ts'
import type { Json } from '../connector.ts'

export interface UnitPlace {
  range: string
  /** 1 for the first unit of a range. */
  seq: number
  /** Id of the unit before it; null for the first. */
  previous: string | null
}

export interface UnitEnd {
  cursor: Json
  /** The range ends here. */
  end: boolean
  position: string
  /** `bytes` is counted here: the bytes of the files. */
  counts: Counts
  notes: string[]
  seen?: SeenPart
  widths?: Record<string, number>
}

interface FileOptions {
  quarantine?: boolean
  /** How often its records were refused before. */
  refused?: number
}

export interface UnitWriter {
  readonly id: string
  readonly lane: LakeLane['lane']
  /** A new file in a folder below the plan's prefix, or below the lane's quarantine. */
  file(folder: string, extension: string, options?: FileOptions): Promise<StagedFileWriter>
  /** Writes the unit's record; every file must be closed. */
  finish(end: UnitEnd): Promise<UnitRecord>
  /** Drops what was staged; never throws. */
  abandon(): Promise<void>
}

export interface StagedFileWriter {
  readonly key: string
  write(chunk: Uint8Array): Promise<void>
  /** Bytes of it that wait in memory (`StagedWriter.held`). */
  readonly held?: number
  /** Without rows the file is dropped. */
  close(rows: number): Promise<void>
}

export function beginUnit(at: LakeLane, plan: RunPlan, place: UnitPlace): UnitWriter {
  const { store } = at
  const keys = laneKeys(at.lane)
  const id = unitId(place.seq)
  const open = new Set<StagedWriter>()
  const files: CommittedFile[] = []

  const dropAll = async (): Promise<void> => {
    const drops = [...open].map((writer) => writer.abort()).concat(files.map((file) => store.abort(file)))
    open.clear()
    files.length = 0
    await Promise.allSettled(drops)
  }

  return {
    id,
    lane: at.lane,
    async file(folder, extension, { quarantine = false, refused } = {}) {
      const name = `${plan.files}-${place.range}-${String(place.seq).padStart(6, '0')}-${nonce()}.${extension}`
      const key = joinKey(quarantine ? keys.quarantine : plan.prefix, folder, name)
      let writer: StagedWriter | null = null
      let closed = false
      const opened = async (): Promise<StagedWriter> => {
        if (writer) return writer
        writer = await store.stage({ key, area: keys.area(plan.run), unit: id })
        open.add(writer)
        return writer
      }
      return {
        key,
        get held() {
          return closed ? 0 : (writer?.held ?? 0)
        },
        async write(chunk) {
          if (closed) throw new Error(`${key} is closed`)
          await (await opened()).write(chunk)
        },
        async close(rows) {
          if (closed) throw new Error(`${key} is closed`)
          closed = true
          if (!writer && rows === 0) return
          const staged = await opened()
          const about = { ...(quarantine ? { quarantine: true as const } : {}), ...(refused ? { refused } : {}) }
          if (rows > 0) files.push({ ...(await staged.close()), rows, ...about })
          else await staged.abort()
          open.delete(staged)
        },
      }
    },
    async finish(end) {
      if (open.size > 0) throw new Error(`${open.size} files of unit ${id} are open`)
      if ((await readPlan(at, plan.run)) === null) {
        await dropAll()
        throw closedMeanwhile(at, plan.run)
      }
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
      const record: UnitRecord = {
        version: 1,
        id,
        run: plan.run,
        ...place,
        ...end,
        counts: { ...end.counts, bytes },
        files,
      }
      const key = keys.unit(plan.run, place.range, id)
      return createOnce(store, key, record, unitShape, () => closedMeanwhile(at, plan.run))
    },
    abandon: dropAll,
  }
}

/** When a rule of the store drops the first of these files, where there is one. */
export function firstDropped(files: CommittedFile[]): { dropped?: string } {
  const [dropped] = files.flatMap((file) => file.dropped ?? []).toSorted()
  return dropped === undefined ? {} : { dropped }
}

/**
 * A unit's record; null where there is none. Of a run that finishes another's plan, the units before its own are known
 * by its plan: their records went with the run that wrote them.
 */
export async function findUnit(at: LakeLane, run: string, range: string, id: string): Promise<UnitRecord | null> {
  const record = await readDocument(at.store, laneKeys(at.lane).unit(run, range, id), unitShape)
  if (record) return record
  const before = (await readPlan(at, run))?.resumes
  const end = before?.ranges[range]
  if (!before || end?.unit !== id) return null
  const { seq, cursor, end: ended } = end
  const known = { version: 1 as const, id, run: before.run, range, seq, previous: null, cursor, end: ended }
  return { ...known, position: '', files: [], counts: noCounts(), notes: [] }
}

/** The record the next unit goes on from. */
export async function readUnit(at: LakeLane, run: string, range: string, id: string): Promise<UnitRecord> {
  const record = await findUnit(at, run, range, id)
  if (record) return record
  throw closedMeanwhile(at, run)
}
