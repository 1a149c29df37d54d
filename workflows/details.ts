/**
 * What a person reads in the Web UI and in `temporal workflow metadata`: Markdown, a list per object. No tables: the
 * Web UI renders them only since 2.53. Names come from flows, and stand in code spans.
 */
import type { Delivered, LaneProgress, ObjectResult } from '../activities/digests.ts'
import type { ListenProgress } from './listen-messages.ts'

const LIMIT = 18_000

export interface LaneDetails {
  progress: LaneProgress
  from?: string | null
  bound?: string | null
  heldBack?: number | null
  ratePerSecond?: number | null
  proof?: string
  delivered?: Delivered | undefined
  schemaVersion?: number
  report: string[]
}

export function laneDetails(details: LaneDetails): string {
  const { progress } = details
  const lines = [`**${title(progress)}**`, '']
  if (details.bound) lines.push(`- Window: ${details.from ?? 'the beginning'} to ${details.bound}`)
  if (details.schemaVersion) lines.push(`- Schema: version ${details.schemaVersion}`)
  lines.push(`- ${moved(progress)}`)
  if (progress.position && isRunning(progress)) lines.push(`- Position: ${code(progress.position)}`)
  if (details.ratePerSecond && isRunning(progress)) lines.push(`- Rate: ${count(details.ratePerSecond)} rows/s`)
  if (details.heldBack) lines.push(`- Left for the next run: ${count(details.heldBack)} rows`)
  if (details.proof) lines.push(`- Count proof: ${details.proof}`)
  if (details.delivered) lines.push(`- Delivered: ${deliveredText(details.delivered)}`)
  if (progress.restarts > 0) lines.push(`- Restarted: ${progress.restarts} of at most 3 times`)
  if (progress.error) lines.push(`- Last problem: ${progress.error.type}: ${code(progress.error.message)}`)
  for (const line of details.report) lines.push(`- ${line}`)
  return cut(lines)
}

export function runDetails(flow: string, lanes: LaneProgress[], results: ObjectResult[], report: string[]): string {
  const ended = new Map(results.map((result) => [result.object, result]))
  const lines = [`**Flow ${code(flow)}**`, '']
  for (const lane of lanes) {
    const result = ended.get(lane.object)
    lines.push(
      `- ${title(lane)}: ${moved(lane)}${isRunning(lane) && lane.position ? `, at ${code(lane.position)}` : ''}`,
    )
    if (lane.error) lines.push(`  - ${lane.error.type}: ${code(lane.error.message)}`)
    for (const note of result?.notes ?? []) lines.push(`  - ${note}`)
  }
  for (const line of report) lines.push(`- ${line}`)
  return cut(lines)
}

export function listenDetails(progress: ListenProgress, problem?: string): string {
  const { flow, paused, objects, held, refused, notes } = progress
  const lines = [`**Flow ${code(flow)} listens${paused ? ', paused' : ''}**`, '']
  if (problem) lines.push(problem.replaceAll(/\s+/g, ' '), '')
  for (const { object, phase, waiting, batches, read, written, problem: last } of objects) {
    const done = `${count(read)} read, ${count(written)} written in ${count(batches)} batches`
    lines.push(`- ${code(object)} ${phase}: ${count(waiting)} wait, ${done}`)
    if (last) lines.push(`  - ${last.type}: ${code(last.message)}`)
  }
  if (held > 0) lines.push(`- ${count(held)} events that came in messages are not in the lake yet`)
  if (refused > 0) lines.push(`- ${count(refused)} messages were refused`)
  for (const note of notes) lines.push(`- ${note}`)
  return cut(lines)
}

export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

function title(lane: LaneProgress): string {
  return `${code(lane.object)} ${lane.phase}`
}

function isRunning(lane: LaneProgress): boolean {
  return ['opening', 'planning', 'reading', 'committing', 'delivering'].includes(lane.phase)
}

function moved(lane: LaneProgress): string {
  const of = lane.counted === null ? '' : ` of ${count(lane.counted)}`
  return `${count(lane.read)}${of} read, ${count(lane.written)} written, ${size(lane.bytes)} in ${count(lane.files)} file${lane.files === 1 ? '' : 's'}, ${count(lane.calls)} call${lane.calls === 1 ? '' : 's'}`
}

/** `3 inserted, 1 updated`: those that are not none. */
function deliveredText({ inserted, updated, deleted, rejected }: Delivered): string {
  const parts = Object.entries({ inserted, updated, deleted, rejected }).filter(([, rows]) => rows > 0)
  return parts.map(([what, rows]) => `${count(rows)} ${what}`).join(', ') || 'no rows'
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let at = 0
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000
    at++
  }
  return `${value.toFixed(1)} ${units[at]}`
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'").replaceAll(/\s+/g, ' ').slice(0, 600)}\``
}

/** The server refuses details above 20,000 bytes, encoded. */
function cut(lines: string[]): string {
  let room = LIMIT
  const kept: string[] = []
  for (const line of lines) {
    room -= line.length * (/^[\x20-\x7e]*$/.test(line) ? 1 : 3) + 1
    if (room < 0) return [...kept, '- …'].join('\n')
    kept.push(line)
  }
  return kept.join('\n')
}
