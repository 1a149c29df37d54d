/**
 * Looks for a word in everything a stage leaves behind, in every spelling it may have there: in Temporal's histories
 * and database, in what workflows answer, in logs, on terminals, in files and in process titles.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ScheduleNotFoundError } from '@temporalio/client'
import type { Client, WorkflowHandle } from '@temporalio/client'
import { queryFiles } from './compare.ts'
import type { Stage } from './stage.ts'

/** A place, and pieces of what is there. */
export type Haystack = [place: string, pieces: Uint8Array[]]

/** The word as text, as UTF-16, in hex, and inside of base64 wherever it may begin there. */
export function spellings(word: string): Buffer[] {
  const inside = [0, 1, 2].map((shift) => {
    const text = Buffer.from('\0'.repeat(shift) + word).toString('base64')
    // Letters at both ends hold bits of the neighbours.
    return Buffer.from(text.slice(shift === 0 ? 0 : shift + 1, -4))
  })
  const plain = Buffer.from(word)
  const hex = [plain.toString('hex'), plain.toString('hex').toUpperCase()]
  return [plain, Buffer.from(word, 'utf16le'), ...hex.map((text) => Buffer.from(text)), ...inside]
}

/** Places where the word is; a hash of it would be none. */
export function placesOf(word: string, haystacks: Haystack[]): string[] {
  const wanted = spellings(word)
  const has = (piece: Uint8Array): boolean => {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    return wanted.some((spelling) => bytes.includes(spelling))
  }
  return haystacks.filter(([, pieces]) => pieces.some(has)).map(([place]) => place)
}

/** Bytes that nobody may find by accident: they differ from run to run. */
export function freshWord(about: string): string {
  return `canary${about}${createHash('sha256').update(`${about}${process.hrtime.bigint()}`).digest('hex').slice(0, 20)}`
}

/** All that Temporal keeps of the stage's workflows, and all that they answer. */
export async function inTemporal({ client, queue }: Stage, folder: string): Promise<Haystack[]> {
  const histories: Uint8Array[] = []
  const answers: Uint8Array[] = []
  for await (const { workflowId, runId } of client.workflow.list({ query: `TaskQueue = "${queue}"` })) {
    const handle = client.workflow.getHandle(workflowId, runId)
    histories.push(...piecesOf(await handle.fetchHistory()))
    answers.push(...(await answersOf(handle)))
  }
  return [
    ['histories', histories],
    ['answers of workflows', answers],
    ['schedules', await schedulesOf(client)],
    ...filesBelow(folder, "the server's files"),
  ]
}

async function answersOf(handle: WorkflowHandle): Promise<Uint8Array[]> {
  const { raw, status } = await handle.describe()
  const found = piecesOf(raw)
  for (const query of ['__temporal_workflow_metadata', '__stack_trace', 'progress']) {
    found.push(...piecesOf(await handle.query(query).catch((error: unknown) => String(error))))
  }
  // A listener stays open.
  const ended = status.name === 'RUNNING' ? null : await handle.result().catch((error: unknown) => error)
  for (let error = ended; error instanceof Error; error = error.cause) {
    found.push(...piecesOf([error.message, error.stack, (error as { details?: unknown }).details]))
  }
  return [...found, ...piecesOf(ended)]
}

async function schedulesOf(client: Client): Promise<Uint8Array[]> {
  const found: Uint8Array[] = []
  for await (const { scheduleId } of client.schedule.list()) {
    // Others delete theirs while we look.
    const described = await client.schedule.getHandle(scheduleId).describe().catch(ignoring(ScheduleNotFoundError))
    found.push(...piecesOf(described?.raw))
  }
  return found
}

/** Every file below a folder, Parquet as its values too: what is compressed shows nothing. */
export async function inFiles({ directory }: Stage): Promise<Haystack[]> {
  const found: Haystack[] = filesBelow(directory, 'files')
  for (const path of namesBelow(directory).filter((name) => name.endsWith('.parquet'))) {
    const folder = join(directory, path, '..')
    const rows = await queryFiles(folder, 'SELECT * FROM files')
    found.push([`values of ${path}`, piecesOf(rows)])
  }
  return found
}

/** How a process looks to others on its machine. */
export function inProcess(pid: number): Haystack {
  const files = ['cmdline', 'comm', 'status'].map((name) => `/proc/${pid}/${name}`)
  return ['process titles', files.filter((path) => existsSync(path)).map((path) => readFileSync(path))]
}

export function inText(place: string, texts: string[]): Haystack {
  return [place, texts.map((text) => Buffer.from(text))]
}

function filesBelow(folder: string, what: string): Haystack[] {
  return namesBelow(folder).flatMap((path): Haystack[] => {
    const bytes = readThere(join(folder, path))
    if (!bytes) return []
    const clear = bytes[0] === 0x1f && bytes[1] === 0x8b ? [gunzipSync(bytes)] : []
    return [[`${what}: ${path}`, [bytes, Buffer.from(path), ...clear]]]
  })
}

/** Null where it is gone: the server's journal comes and goes while we look. */
function readThere(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function namesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => relative(folder, join(found.parentPath, found.name)))
}

function ignoring(kind: new (...args: never[]) => Error): (error: unknown) => null {
  return (error) => {
    if (error instanceof kind) return null
    throw error
  }
}

/** Every text and every run of bytes in a value. */
function piecesOf(value: unknown): Uint8Array[] {
  if (typeof value === 'string') return [Buffer.from(value)]
  if (value instanceof Uint8Array) return [value]
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, member]) => [Buffer.from(name), ...piecesOf(member)])
}
