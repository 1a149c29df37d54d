/** The table of steps and faults, from results as JSON lines. */
import { groups } from './fault-case.ts'
import type { CaseResult, Group } from './fault-case.ts'

const COUNTS = ['cases', 'kills', 'lost', 'doubled', 'wrong', 'stuck', 'orphans', 'failed'] as const
type Counts = Record<(typeof COUNTS)[number], number>

const none = (): Counts => ({ cases: 0, kills: 0, lost: 0, doubled: 0, wrong: 0, stuck: 0, orphans: 0, failed: 0 })

function add(to: Counts, { kills, lost, doubled, wrong, stuck, orphans, ok }: CaseResult): void {
  const more = { cases: 1, kills, lost, doubled, wrong, stuck, orphans, failed: ok ? 0 : 1 }
  for (const name of COUNTS) to[name] += more[name]
}

export interface Totals extends Counts {
  pairs: number
  /** Rows that the source gave twice. */
  again: number
}

export function totalsOf(results: CaseResult[]): Totals {
  const total = none()
  for (const one of results) add(total, one)
  const pairs = new Set(results.map(({ kind, step, fault }) => `${kind} ${step} ${fault}`)).size
  return { ...total, pairs, again: results.reduce((sum, { again }) => sum + again, 0) }
}

/** As Markdown: a table for each group. */
export function matrixOf(results: CaseResult[]): string {
  const parts = (Object.keys(groups) as Group[]).flatMap((group) => {
    const rows = new Map<string, Counts>()
    for (const one of results) {
      if (one.group !== group) continue
      const key = [one.kind, one.step, one.fault].join(' | ')
      const counts = rows.get(key) ?? none()
      add(counts, one)
      rows.set(key, counts)
    }
    if (rows.size === 0) return []
    const lines = [...rows].map(([key, counts]) => line([key, ...COUNTS.map((name) => counts[name])]))
    return [`### ${groups[group]}`, [head(['into', 'step', 'fault']), ...lines].join('\n')]
  })
  return parts.join('\n\n')
}

/** Totals, in all and group by group, and the steps that storms struck. */
export function summaryOf(results: CaseResult[]): string {
  const rowOf = (name: string, some: CaseResult[]): string => {
    const { pairs, again, ...counts } = totalsOf(some)
    return line([
      name,
      ...[pairs, ...COUNTS.map((one) => counts[one]), again].map((count) => count.toLocaleString('en')),
    ])
  }
  const parts = (Object.keys(groups) as Group[]).flatMap((group) => {
    const some = results.filter((one) => one.group === group)
    return some.length > 0 ? [rowOf(group, some)] : []
  })
  const table = [head(['attack', 'steps and faults'], ['rows read again']), ...parts, rowOf('**all**', results)].join(
    '\n',
  )
  const struck = struckBy(results)
  return struck === '' ? table : `${table}\n\nSteps that were under way when storms struck: ${struck}.`
}

function struckBy(results: CaseResult[]): string {
  const all = new Map<string, number>()
  for (const { struck = {} } of results)
    for (const [step, count] of Object.entries(struck)) all.set(step, (all.get(step) ?? 0) + count)
  return [...all].map(([step, count]) => `${count} ${step}`).join(', ')
}

const line = (cells: (string | number)[]): string => `| ${cells.join(' | ')} |`

function head(before: string[], after: string[] = []): string {
  const names = [...before, ...COUNTS, ...after]
  const rule = names.map((name) =>
    (COUNTS as readonly string[]).includes(name) || after.includes(name) ? '--:' : '---',
  )
  return `${line(names)}\n${line(rule)}`
}
