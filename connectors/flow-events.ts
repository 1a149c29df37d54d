/** What a flow that is fed by events cannot say: it reads nothing, it is told. */
import type { Table, WrittenObject } from './flow-rules.ts'
import type { Found } from './strict.ts'

const reading = ['read', 'startFrom', 'cursorField', 'settle', 'lookback', 'includeDeleted', 'format', 'csv']

export function eventRules(flow: Table, objects: WrittenObject[]): Found[] {
  const part = (key: string): Table => Object(flow[key]) as Table
  const source = part('source')
  const found: Found[] = reading
    .filter((key) => source[key] !== undefined)
    .map((key) => ({ path: ['source', key], ...unread(key) }))
  for (const { path, written, id, object } of objects) {
    for (const key of reading) if (written[key] !== undefined) found.push({ path: [...path, key], ...unread(key) })
    // Its lane would have the workflow id of the flow's listener.
    if (id !== 'listen') continue
    const at = object === 'listen' ? [...path, ...(Object.keys(written).length > 1 ? ['object'] : [])] : [...path, 'id']
    found.push({
      path: at,
      what: "'listen' is the id of the flow's listener",
      advice: 'set another `id` for this object',
    })
  }
  if (part('destination')['write'] === 'replace') {
    const what = 'replace cannot go with events: each batch would take the place of those before'
    found.push({ path: ['destination', 'write'], what, advice: 'write `write: append`' })
  }
  if (flow['notify'] !== undefined) {
    const what = 'runs are told of, and batches of events are not, yet'
    found.push({ path: ['notify'], what, advice: 'remove it; `lakeward status` tells of the batches' })
  }
  for (const key of ['full', 'keepOld', 'again', 'from', 'to'].filter((one) => part('run')[one] !== undefined)) {
    const what = `\`${key}\` reads again, and events that were delivered are not kept`
    found.push({ path: ['run', key], what, advice: 'leave it out: a run commits what waits' })
  }
  return found
}

function unread(key: string): { what: string; advice: string } {
  return { what: `\`${key}\` says how records are read, and events come by themselves`, advice: 'remove it' }
}
