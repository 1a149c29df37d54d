/** A run as a person sees it: while it goes on, and what it moved. */
import { printable } from '../../connectors/printable.ts'
import type { ObjectState, RunState } from '../follow-run.ts'
import type { RunOutcome } from '../run-outcome.ts'
import { bytes, count, counted } from './numbers.ts'
import { table } from './table.ts'

const right = 'right' as const

export function progressTable(state: RunState, most = Infinity): string {
  const columns = [
    { title: 'OBJECT' },
    { title: 'PHASE' },
    { title: 'READ', align: right },
    { title: 'ROWS/S', align: right },
    { title: 'WRITTEN', align: right },
    { title: 'BYTES', align: right },
    { title: 'CALLS', align: right },
    { title: 'POSITION' },
  ]
  const rows = state.objects.map((object) => [
    object.object,
    object.phase,
    count(object.read) + (object.counted === null ? '' : ` / ${count(object.counted)}`),
    object.rate === null ? '' : count(object.rate),
    count(object.written),
    bytes(object.bytes),
    count(object.calls),
    note(object),
  ])
  return table(columns, rows, most)
}

/** The most useful thing to know: why it does not move, else what went wrong, else where it is. */
function note(object: ObjectState): string {
  if (object.held) return object.held
  if (object.error) return `${object.error.type}: ${object.error.message}`
  return ['done', 'nothing', 'skipped', 'cancelled'].includes(object.phase) ? '' : object.position
}

/** One line per object, for logs. */
export function progressLine(object: ObjectState): string {
  const of = object.counted === null ? '' : ` of ${count(object.counted)}`
  const parts = [object.phase, `${count(object.read)}${of} rows read`]
  if (object.rate !== null && object.rate >= 1) parts.push(`${count(object.rate)} rows/s`)
  if (object.bytes > 0) parts.push(bytes(object.bytes))
  const said = note(object)
  if (said) parts.push(object.held || object.error ? said : `at ${said}`)
  return `${object.object}: ${printable(parts.join(', '))}`
}

/** What is to be known about a run as a whole; null while it simply runs. */
export function stageLine({ stage, taskQueue }: RunState): string | null {
  if (stage === 'unclaimed') {
    return noWorker(taskQueue)
  }
  if (stage === 'silent') return `no worker answers on task queue ${taskQueue}: the run waits for one`
  if (stage === 'away') return 'Temporal does not answer: trying again'
  return null
}

export function noWorker(taskQueue: string): string {
  return `no worker polls task queue ${taskQueue}: the run waits. Start one: \`lakeward worker\` or \`lakeward dev\``
}

/** The table at the end, and what has to be said beside it. */
export function outcomeText(outcome: RunOutcome, most = Infinity): string {
  const objects = outcome.result?.objects ?? []
  const lines: string[] = []
  if (objects.length > 0) {
    const columns = [
      { title: 'OBJECT' },
      { title: 'STATUS' },
      ...['READ', 'WRITTEN', 'FILTERED', 'DROPPED', 'QUARANTINED', 'FILES', 'BYTES', 'CALLS', 'ENTRY'].map((title) => ({
        title,
        align: right,
      })),
    ]
    const rows = objects.map((object) => [
      object.object,
      object.status,
      ...[object.read, object.written, object.filtered, object.dropped, object.quarantined, object.files].map(count),
      bytes(object.bytes),
      object.calls === undefined ? '' : count(object.calls),
      object.entry === null ? '' : String(object.entry),
    ])
    lines.push(table(columns, rows, most))
  }
  for (const said of outcome.result?.notes ?? []) lines.push(printable(said))
  for (const object of objects) {
    if (object.error) lines.push(printable(`${object.object}: ${object.error.type}: ${object.error.message}`))
    for (const said of object.notes) lines.push(printable(`${object.object}: ${said}`))
  }
  return lines.join('\n')
}

/** `took` is said where it does not tear a message apart. */
export function outcomeLine(outcome: RunOutcome, took?: string): string {
  const { status, result, error } = outcome
  const objects = result?.objects ?? []
  if (status === 'done') {
    const { written = 0, files = 0, bytes: size = 0 } = result ?? {}
    const moved = `${counted(written, 'row')} in ${counted(files, 'file')}, ${bytes(size)}`
    return `done: ${moved}${took ? `, ${took}` : ''}`
  }
  const head = took ? `${status} after ${took}` : status
  const failed = objects.filter((object) => object.status === 'failed').length
  if (objects.length > 0 && failed > 0) return `${head}: ${failed} of ${counted(objects.length, 'object')} failed`
  return error ? `${head}: ${error.message}${hint(error.type)}` : head
}

function hint(type: string): string {
  if (type === 'ConnectionUnauthorized')
    return ' Check the credentials that lakeward.yaml refers to, where the worker runs.'
  return ''
}
