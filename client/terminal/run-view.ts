/** A run that is followed, on a screen: redrawn in place on a terminal, lines elsewhere. */
import type { RunState } from '../follow-run.ts'
import { duration } from './numbers.ts'
import { progressLine, progressTable, stageLine } from './progress.ts'
import type { Screen } from './screen.ts'

export function runView(view: Screen, startedAt = Date.now()): (state: RunState) => void {
  return view.draw ? drawn(view.draw, startedAt) : lines(view)
}

function drawn(draw: (lines: string[]) => void, startedAt: number) {
  return (state: RunState): void => {
    const head = `${state.workflowId}: ${state.stage}, ${duration(Math.round((Date.now() - startedAt) / 1000) * 1000)}`
    const said = stageLine(state)
    if (state.stage === 'ended') draw([])
    else draw([head, ...(said ? [said] : []), ...(state.objects.length > 0 ? progressTable(state).split('\n') : [])])
  }
}

/** A line when something changes: at once when a phase or a problem does, every few seconds while rows arrive. */
const LINE_EVERY_MS = 4_000

function lines(view: Screen) {
  const told = new Map<string, { key: string; line: string; at: number }>()
  let stage: string | null = null
  return (state: RunState): void => {
    const said = stageLine(state)
    if (said !== stage && said !== null) view.say(said)
    if (said === null && stage !== null && state.stage !== 'ended') view.say('a worker has taken the run up')
    stage = said
    for (const object of state.objects) {
      const before = told.get(object.object)
      const key = `${object.phase} ${object.held ?? ''} ${object.restarts}`
      const line = progressLine(object)
      const due = before === undefined || before.key !== key || Date.now() - before.at >= LINE_EVERY_MS
      if (!due || before?.line === line || object.phase === 'waiting') continue
      told.set(object.object, { key, line, at: Date.now() })
      view.say(line)
    }
  }
}
