/**
 * Files of a place as a source: an object is a pattern of keys, its state the files that were delivered.
 *
 * Laws
 * - The plan names every file of the run with its version; `read` reads these and nothing else.
 * - Each version of a file is delivered once: the state moves with the entry that delivers it. Times decide nothing
 *   but the order, what `startFrom` and windows leave out, and what is too young (`settle`): a file that turns up late
 *   with an old time is read like any other.
 * - A run takes `MOST_IN_RUN` files, the oldest first; the next one takes the rest.
 */
import type { Ask, Json, JsonObject, ObjectSchema, Page, Plan, Range, Session, Source } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { strict } from '../strict.ts'
import { markOf, MOST_FILES, readMarks, writeMarks } from './delivered.ts'
import type { FileKeys } from './file-keys.ts'
import { keysOf } from './file-keys.ts'
import { listFiles, patternsOf } from './file-listing.ts'
import type { FileTree, FoundFile } from './file-tree.ts'
import { parquetPages } from './parquet-pages.ts'
import { sampleFiles } from './sample.ts'
import { textPages } from './text-pages.ts'
import type { FilePage, FileReading } from './text-pages.ts'

/** Each is some hundred bytes of the plan. */
const MOST_IN_RUN = 25_000

interface Request {
  keys: FileKeys
  /** In the order they are read: key, bytes, version, time of change. */
  files: [string, number, string, number][]
  /** What was delivered before, as the state has it. */
  known: Json
}

/** Files from `from` up to `to` of the plan. */
interface Span {
  from: number
  to: number
}

export interface FileSourceOptions {
  open: (session: Session) => FileTree
  /** How long a file must lie still before it is read, where the flow does not say; 0 where files appear whole. */
  settleMs: number
}

export function fileSource({ open, settleMs }: FileSourceOptions): Source {
  return {
    options: strict('options of a source of files', {}),
    settleMs,
    objects: (session) => patternsOf(open(session)),
    describe: (_session, object, options) => Promise.resolve(describe(object, keysOf(options))),
    plan: async (session, ask) => plan(await due(open(session), ask), ask),
    read: (session, { request }, range, from) =>
      read(open(session), request as unknown as Request, range, from, session),
    finish: (_session, { request }) => {
      const { files, known } = request as unknown as Request
      const delivered = files.map(([key, , version]) => markOf({ key, version }))
      return Promise.resolve(writeMarks([...readMarks(known), ...delivered]))
    },
    files: { sample: (session, pattern) => sampleFiles(open(session), pattern) },
  }
}

function describe(object: string, { schema }: FileKeys): ObjectSchema {
  const fields = Object.entries(schema).map(([name, type]) => ({ name, type, nullable: true }))
  return { object, fields, keys: [], cursors: [], deletes: false }
}

interface Due {
  files: FoundFile[]
  known: Json
  notes: string[]
}

async function due(tree: FileTree, ask: Ask): Promise<Due> {
  const listed = await listFiles(tree, ask.object)
  const notes: string[] = []
  const young = Date.now() - ask.settleMs
  const settled = listed.filter(({ modifiedMs }) => modifiedMs <= young)
  if (settled.length < listed.length) {
    notes.push(
      `${files(listed.length - settled.length)} changed in the last ${ask.settleMs / 1000} s and wait for the next run.`,
    )
  }
  const [from, to] = [ask.from, ask.mode === 'window' ? ask.to : undefined].map((at) =>
    at === undefined ? undefined : Date.parse(at),
  )
  const wanted = settled.filter(
    ({ modifiedMs: at }) => (from === undefined || at >= from) && (to === undefined || at < to),
  )
  const known = readMarks(ask.mode === 'incremental' ? ask.state : null)
  const fresh = wanted
    .filter((file) => !known.has(markOf(file)))
    .toSorted((a, b) => a.modifiedMs - b.modifiedMs || (a.key < b.key ? -1 : 1))
  if (fresh.length > MOST_IN_RUN && ask.mode !== 'incremental') throw tooMany(tree, ask, fresh.length, MOST_IN_RUN)
  if (listed.length > MOST_FILES) throw tooMany(tree, ask, listed.length, MOST_FILES)
  const taken = fresh.slice(0, MOST_IN_RUN)
  if (taken.length < fresh.length) notes.push(`${files(fresh.length - taken.length)} more wait for the next run.`)
  if (known.size + taken.length > MOST_FILES) {
    const there = new Set(listed.map(markOf))
    for (const mark of known) if (!there.has(mark)) known.delete(mark)
    notes.push(
      'So many files were delivered that those which are gone are forgotten: should one come back, it is read again.',
    )
  }
  const bytes = taken.reduce((sum, file) => sum + file.bytes, 0)
  notes.unshift(`${files(taken.length)} of ${listed.length.toLocaleString('en')}, ${bytes.toLocaleString('en')} bytes.`)
  return { files: taken, known: writeMarks(known), notes }
}

const files = (count: number): string => (count === 1 ? '1 file' : `${count.toLocaleString('en')} files`)

function tooMany({ connector }: FileTree, { object }: Ask, found: number, most: number): ConnectorError {
  return new ConnectorError({
    connector,
    doing: `plan ${object}`,
    kind: 'rejected',
    reason: `${found.toLocaleString('en')} files match, and ${most.toLocaleString('en')} are the most`,
    advice: 'Split them over several objects by narrower patterns, or move away what was delivered.',
  })
}

function plan({ files: found, known, notes }: Due, { options, parallel, mode, from }: Ask): Plan {
  const request: Request = {
    keys: keysOf(options),
    files: found.map(({ key, bytes, version, modifiedMs }) => [key, bytes, version, modifiedMs]),
    known,
  }
  return {
    api: 'files',
    request: request as unknown as Json,
    ranges: spans(found, parallel).map((span, at) => ({ id: `files-${at}`, spec: { ...span } })),
    bound: null,
    from: mode === 'incremental' ? null : (from ?? null),
    cursorField: null,
    pushed: null,
    order: 'none',
    repeats: false,
    counted: null,
    heldBack: null,
    notes,
  }
}

/** Up to `parallel` runs of files with about as many bytes each; one, which may be empty, at least. */
function spans(found: FoundFile[], parallel: number): Span[] {
  const share = found.reduce((sum, { bytes }) => sum + bytes, 0) / parallel
  const ends: number[] = []
  let bytes = 0
  for (const [at, file] of found.entries()) {
    bytes += file.bytes
    if (bytes >= share * (ends.length + 1) || at === found.length - 1) ends.push(at + 1)
  }
  if (ends.length === 0) return [{ from: 0, to: 0 }]
  return ends.map((to, at) => ({ from: ends[at - 1] ?? 0, to }))
}

async function* read(
  tree: FileTree,
  { keys, files: planned }: Request,
  { spec }: Range,
  cursor: Json | null,
  session: Session,
): AsyncGenerator<Page> {
  const { from, to } = spec as unknown as Span
  const start = (cursor ?? { file: from, at: null }) as { file: number; at: Json }
  if (from === to) yield { body: [], shape: { format: 'rows' }, next: null, position: 'no new file' }
  for (let index = start.file; index < to; index++) {
    const [key, bytes, version, modifiedMs] = planned[index]!
    const file = { key, bytes, version, modifiedMs }
    const at = index === start.file ? start.at : null
    for await (const page of pagesOf({ tree, file, keys, from: at, note: (text) => session.note(text) })) {
      session.signal.throwIfAborted()
      const behind: JsonObject = page.next === null ? { file: index + 1, at: null } : { file: index, at: page.next }
      const next = page.next === null && index + 1 === to ? null : behind
      const position = `${key} (${index + 1 - from} of ${to - from}), ${page.position}`
      yield { body: page.body, shape: page.shape, next, position }
    }
  }
}

function pagesOf(reading: FileReading): AsyncGenerator<FilePage> {
  return reading.keys.format === 'parquet' ? parquetPages(reading) : textPages(reading)
}
