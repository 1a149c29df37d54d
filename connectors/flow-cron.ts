/**
 * Cron expressions of five fields, as a Temporal schedule takes them: `*`, values, names, ranges, lists and steps; 0
 * and 7 are Sunday. A day of month and a day of week must both match.
 */
import { shown, words } from './strict.ts'

interface FieldRule {
  title: string
  least: number
  most: number
  names?: string[]
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const rules: FieldRule[] = [
  { title: 'minute', least: 0, most: 59 },
  { title: 'hour', least: 0, most: 23 },
  { title: 'day of month', least: 1, most: 31 },
  { title: 'month', least: 1, most: 12, names: months },
  { title: 'day of week', least: 0, most: 7, names: days },
]
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** What is wrong with an expression, with advice on a second line; nothing when it is right. */
export function cronProblem(expression: string): string | undefined {
  const fields = expression.trim().split(/\s+/)
  if (expression.trim().startsWith('@')) {
    return words(`${shown(expression)} is not read`, 'write five fields: "0 2 * * *" is every night at two')
  }
  if (fields.length !== 5 || fields[0] === '') {
    const count = fields[0] === '' ? 0 : fields.length
    return words(`has ${count} fields, not 5`, 'minute, hour, day of month, month, day of week: "0 2 * * *"')
  }
  const matching: Set<number>[] = []
  for (const [index, rule] of rules.entries()) {
    const read = valuesOf(fields[index]!, rule)
    if (typeof read === 'string') return read
    matching.push(read)
  }
  const fires = [...matching[3]!].some((month) => Math.min(...matching[2]!) <= LONGEST_MONTHS[month - 1]!)
  return fires ? undefined : words('never comes', 'no such month has such a day')
}

function valuesOf(field: string, rule: FieldRule): Set<number> | string {
  const values = new Set<number>()
  for (const part of field.split(',')) {
    const match = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d{1,4}))?$/.exec(part)
    if (!match)
      return words(`${rule.title}: ${shown(part)} is not read`, 'a value, *, a-b, */n, a-b/n, or several with commas')
    const [, star, first, last, every] = match
    const from = star ? rule.least : valueOf(first!, rule)
    const open = star !== undefined || (every !== undefined && last === undefined)
    const to = open ? rule.most : valueOf(last ?? first!, rule)
    if (from === undefined || to === undefined) {
      const names = rule.names ? ` or ${rule.names[0]}-${rule.names.at(-1)}` : ''
      return words(`${rule.title}: ${shown(part)} is out of range`, `${rule.least} to ${rule.most}${names}`)
    }
    if (to < from) return words(`${rule.title}: ${shown(part)} runs backwards`, 'write two ranges with a comma')
    if (every !== undefined && Number(every) < 1) return `${rule.title}: ${shown(part)} has a step of nothing`
    for (let value = from; value <= to; value += Number(every ?? 1)) values.add(value)
  }
  return values
}

function valueOf(word: string, rule: FieldRule): number | undefined {
  const named = rule.names?.indexOf(word.toUpperCase()) ?? -1
  if (named >= 0) return named + rule.least
  if (!/^\d{1,2}$/.test(word)) return undefined
  const value = Number(word)
  return value >= rule.least && value <= rule.most ? value : undefined
}
