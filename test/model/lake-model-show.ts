/** A state in words: a line for each thing that is there. */
import { activityOf, isAt } from './lake-model-attempt.ts'
import type { World } from './lake-model-state.ts'
import { bits, entry, outcome, phase, uploadWords } from './lake-model-state.ts'

export function show(w: World): string[] {
  const lines: string[] = []
  const name = (run: number) => w.specs[run]!.name
  for (let n = 1; n <= w.highest(); n++) {
    const by = `by ${name(w.entry(n, 'run'))}`
    if (w.entry(n, 'kind') === entry.fence) {
      lines.push(`entry ${n}: fence ${by}`)
      continue
    }
    const files = bits(w.entry(n, 'files')).join('+')
    const end = w.entry(n, 'last') ? `watermark ${w.entry(n, 'mark')}` : `unfinished at ${w.entry(n, 'cursor')}`
    const generation = w.entry(n, 'generation') ? `, generation ${w.entry(n, 'generation')}` : ''
    lines.push(`entry ${n}: upload ${files} ${by}, ${end}${generation}`)
    if (w.entry(n, 'outcome')) lines.push(`outcome ${n}: ${w.entry(n, 'outcome') === outcome.done ? 'done' : 'void'}`)
  }
  if (w.get(w.at.hint)) lines.push(`hint: ${w.get(w.at.hint)}`)
  for (let run = 0; run < w.at.runs; run++) {
    if (w.plan(run, 'there')) {
      lines.push(`plan of ${name(run)}: number ${w.plan(run, 'n')}, [${w.plan(run, 'from')}, ${w.plan(run, 'bound')})`)
    }
    for (let k = 0; k < w.c.most.units; k++) {
      const id = w.firstUnit(run) + k
      if (!w.unit(id, 'upload')) continue
      const rows = `[${w.unit(id, 'from')}, ${w.unit(id, 'to')})`
      lines.push(`upload ${k} of ${name(run)} with ${rows}: ${uploadWords[w.unit(id, 'upload')]}`)
      if (w.unit(id, 'record')) lines.push(`unit record ${k} of ${name(run)}`)
    }
    if (w.run(run, 'phase') === phase.ended) lines.push(`${name(run)} is over`)
  }
  for (let slot = 0; slot < w.c.most.attempts; slot++) {
    const a = w.attempt(slot)
    if (a.alive && isAt(a, 'returned') && activityOf(a) === 'open') {
      lines.push(`${name(a.run)} would take number ${a.get('n')} after entry ${a.get('base')}`)
    }
  }
  return lines
}
