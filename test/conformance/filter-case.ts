/**
 * Pushing a filter down may let through more than our own filter, never less: each operator is tried on fields of each
 * type, with values from the source's own records, and what our filter keeps of everything must have come.
 */
import type { Ask, Condition, Field, Filter } from '../../connectors/connector.ts'
import { must } from './expect.ts'
import { type Got, type Reader } from './reading.ts'

const FIELDS_PER_TYPE = 2
const MOST_VALUES = 3
const RECORDS = 300

export async function filterCase(reader: Reader): Promise<void> {
  const schema = await reader.schema()
  const always = [...schema.keys, ...schema.cursors.slice(0, 1)]
  const window = await someRecords(reader)
  const all = await reader.expected(await reader.plan(window))
  const seen = new Map<string, number>()
  for (const field of schema.fields) {
    const kind = (field.sourceType ?? field.type).replace(/\(.*/, '')
    const count = (seen.get(kind) ?? 0) + 1
    seen.set(kind, count)
    if (count > FIELDS_PER_TYPE) continue
    for (const condition of conditions(field, all)) {
      const filter: Filter = { [field.name]: condition }
      const { plan, keys } = await reader.keysOf({ ...window, filter, fields: [...new Set([...always, field.name])] })
      const lost = all.filter((one) => holds(condition, field, one.values[field.name]!) && !keys.has(one.key))
      const shown = JSON.stringify({ ...filter })
      must(
        lost.length === 0,
        `${shown} left out ${lost.length} of its records, ${lost[0]?.key} with ${JSON.stringify(lost[0]?.values[field.name])}`,
      )
      if (plan.pushed === null)
        must(
          keys.size === all.length,
          `nothing was pushed for ${shown}, and yet only ${keys.size} of ${all.length} came`,
        )
      must(isPart(plan.pushed, filter), `${JSON.stringify(plan.pushed)} was pushed for ${shown}`)
    }
  }
}

/** A window of some hundred records: enough for every operator, and quick to read a few hundred times. */
async function someRecords(reader: Reader): Promise<Partial<Ask>> {
  const all = await reader.expected(await reader.plan({ mode: 'full' }))
  const stamps = all.map(({ stamp }) => stamp ?? '').toSorted((a, b) => Date.parse(a) - Date.parse(b))
  const to = stamps[RECORDS]
  return to && to !== stamps[0] ? { mode: 'window', to } : { mode: 'full' }
}

function conditions(field: Field, all: Got[]): Condition[] {
  if (field.type === 'json' || field.type === 'binary') return [{ isNull: true }, { isNull: false }]
  const values = some(all.map((one) => one.values[field.name]).filter((value) => value !== null && value !== undefined))
  const [low = '', middle = low, high = middle] = values
  const nulls: Condition[] = [{ isNull: true }, { isNull: false }]
  if (values.length === 0) return nulls
  const typed = (text: string): string | number | boolean => (field.type === 'boolean' ? text === 'true' : text)
  const equal: Condition[] = [
    { eq: typed(low) },
    { eq: typed(high) },
    { ne: typed(middle) },
    { in: [typed(low), typed(high)] },
  ]
  if (field.type === 'boolean') return [...equal, ...nulls]
  const ordered: Condition[] = [{ gt: low }, { gte: middle }, { lt: high }, { lte: middle }, { between: [low, high] }]
  if (field.type !== 'string') return [...equal, ...ordered, ...nulls]
  return [
    ...equal,
    ...ordered,
    ...nulls,
    { eq: high.toUpperCase() },
    { contains: Array.from(middle).slice(0, 2).join('') },
  ]
}

/** The first, one from the middle, the last: of what hurts as of what does not. */
function some(values: string[]): string[] {
  const distinct = [...new Set(values)].filter((value) => value.length < 200)
  const at = [0, Math.floor(distinct.length / 2), distinct.length - 1].slice(
    0,
    Math.max(1, Math.min(MOST_VALUES, distinct.length)),
  )
  return at.map((place) => distinct[place]!).toSorted((a, b) => (a < b ? -1 : 1))
}

/** Our own filter on one value, in the plainest way it can be written. */
export function holds(condition: Condition, { type }: Field, value: string | null): boolean {
  if (condition.isNull !== undefined) return (value === null) === condition.isNull
  if (value === null) return condition.ne !== undefined
  const order = (against: unknown): number => compare(type, value, String(against))
  if (condition.eq !== undefined) return order(condition.eq) === 0
  if (condition.ne !== undefined) return order(condition.ne) !== 0
  if (condition.in) return condition.in.some((one) => order(one) === 0)
  if (condition.gt !== undefined) return order(condition.gt) > 0
  if (condition.gte !== undefined) return order(condition.gte) >= 0
  if (condition.lt !== undefined) return order(condition.lt) < 0
  if (condition.lte !== undefined) return order(condition.lte) <= 0
  if (condition.between) return order(condition.between[0]) >= 0 && order(condition.between[1]) <= 0
  return condition.contains === undefined || value.includes(condition.contains)
}

function compare(type: Field['type'], a: string, b: string): number {
  if (type === 'float64') return Number(a) - Number(b)
  if (type === 'timestamp') return Date.parse(a) - Date.parse(b)
  if (!type.startsWith('decimal') && !type.startsWith('int')) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  const scale = Math.max(...[a, b].map((text) => text.split('.')[1]?.length ?? 0))
  const unscaled = (text: string): bigint => {
    const [whole = '', part = ''] = text.split('.')
    return BigInt(whole + part.padEnd(scale, '0'))
  }
  const difference = unscaled(a) - unscaled(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function isPart(pushed: Filter | null, filter: Filter): boolean {
  return Object.entries(pushed ?? {}).every(([name, condition]) =>
    Object.entries(condition).every(([operator, value]) => {
      const asked = filter[name]?.[operator as keyof Condition]
      return asked !== undefined && JSON.stringify(asked) === JSON.stringify(value)
    }),
  )
}
