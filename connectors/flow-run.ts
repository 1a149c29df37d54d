/** Options of one run. They lie in the document when a run is started with it; a flow that is applied has none. */
import { time } from './flow-values.ts'
import { flag, list, noRepeats, strict, text } from './strict.ts'
import type { z } from 'zod'

export interface RunOptions {
  /** Begin a new generation: read everything again. */
  full: boolean
  /** The earlier generation's files stay. */
  keepOld: boolean
  /** A window that was delivered before may be delivered again. */
  again: boolean
  /** Wait for the run in progress instead of failing. */
  queue: boolean
  evenPaused: boolean
  /** Read what lies in quarantine again, and nothing of the source. */
  replay: boolean
  /** Window of stamps, from ≤ stamp < to, ISO instants with Z; both or neither. */
  from?: string
  to?: string
  /** Ids of objects; absent: all. */
  objects?: string[]
}

export const run = strict('run', {
  full: flag('Read everything again, in place of what is there').optional(),
  keepOld: flag('Leave the files that a full run would replace').optional(),
  again: flag('Deliver a window again').optional(),
  queue: flag('Wait for a run in progress').optional(),
  evenPaused: flag('Run although the flow is paused').optional(),
  replay: flag('Read what lies in quarantine again, and nothing of the source').optional(),
  from: time('Begin of the window').optional(),
  to: time('End of the window, not in it').optional(),
  objects: list('Ids of the objects to run', text('The id of an object')).superRefine(noRepeats).optional(),
}).describe('Options of one run; apply refuses them')

export function completeRun(written: z.output<typeof run> = {}): RunOptions {
  const { full = false, keepOld = false, again = false, queue = false, evenPaused = false, replay = false } = written
  const { from, to, objects } = written
  return {
    full,
    keepOld,
    again,
    queue,
    evenPaused,
    replay,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(objects !== undefined && { objects }),
  }
}
