/** Workers struck at each step of the protocol: singly, in pairs of steps of a commit, and in what comes after it. */
import { FIRST_RUN, LEFTOVERS, SECOND_RUN } from '../../e2e/kill-points.ts'
import type { KillPoint } from '../../e2e/kill-points.ts'
import type { Attack, LaneCase } from '../fault-case.ts'

/** Of a commit, before and after each of its deeds, in their order. */
const at = (call: 'link' | 'rename' | 'unlink', path: string, done: number): KillPoint => ({
  at: { call, path, done },
  left: {},
})
const entry = '{lane}/commits/00000001.json'
const outcome = '{lane}/commits/00000001.outcome'
export const COMMIT: Record<string, KillPoint> = {
  'before the entry': at('link', entry, 0),
  'after the entry': at('link', entry, 1),
  'before the first completion': at('rename', '{data}/', 0),
  'after the first completion': at('rename', '{data}/', 1),
  'before the outcome': at('link', outcome, 0),
  'after the outcome': at('link', outcome, 1),
  'before the records of units go': at('unlink', '{lane}/units/', 0),
  'after the first of them went': at('unlink', '{lane}/units/', 1),
  'before the plan goes': at('unlink', '{lane}/plans/', 0),
  'after the plan went': at('unlink', '{lane}/plans/', 1),
}

const lakes = ['versitygw', 'file'] as const
const steps = Object.entries(FIRST_RUN)
/** What a source does is the same for every lake, and a disk is not held up for a while and let go. */
const isOfLake = ([, { at: halt }]: [string, KillPoint]): boolean => !('request' in halt)

const singles: LaneCase[] = lakes.flatMap((lake) =>
  steps
    .filter((one) => lake === 'versitygw' || isOfLake(one))
    .map(([step, point]) => ({ group: 'kill', step, fault: 'kill -9', lake, attack: 'kill', blows: [{ point }] })),
)

const pairs: LaneCase[] = lakes.flatMap((lake) => {
  const points = Object.entries(COMMIT)
  return points.flatMap(([one, first], i) =>
    points.slice(i).flatMap(([two, second], j): LaneCase[] => {
      // What was done is not done again: only what was not yet done can be killed twice.
      if (j === 0 && (first.at as { done: number }).done > 0) return []
      const blows = [{ point: first }, { point: second }]
      return [{ group: 'kill', step: one, fault: `kill -9, again ${two}`, lake, attack: 'kill', blows }]
    }),
  )
})

const second: LaneCase[] = lakes.flatMap((lake) =>
  Object.entries(LEFTOVERS).map(([name, point]): LaneCase => {
    const isCancelled = name.startsWith('cancel')
    const then = isCancelled ? ('cancelled' as const) : ('given up' as const)
    const blows = [{ point, then }, { point: SECOND_RUN[name]! }]
    const fault = isCancelled ? 'kill -9, cancelled, kill -9' : 'kill -9, given up, kill -9'
    return { group: 'kill', step: name, fault, lake, attack: 'kill', blows, ...(isCancelled && { fails: /cancel/i }) }
  }),
)

const others: [Attack, string, typeof steps][] = [
  ['term', 'SIGTERM with grace', steps],
  ['zombie', 'SIGSTOP, wakes when all is over', steps],
  ['waking', 'SIGSTOP, wakes in the middle', steps],
  ['partition', 'cut off from Temporal, goes on writing', steps],
  ['late', 'kill -9, its request comes late', steps.filter(isOfLake)],
  ['away', 'all workers away', steps],
]
const stops: LaneCase[] = others.flatMap(([attack, fault, on]) =>
  on.map(([step, point]): LaneCase => ({ group: 'stop', step, fault, lake: 'versitygw', attack, blows: [{ point }] })),
)
const away: LaneCase[] = steps.filter(isOfLake).map(([step, point]) => ({
  group: 'stop',
  step,
  fault: 'all workers away',
  lake: 'file',
  attack: 'away',
  blows: [{ point }],
}))

const server: LaneCase[] = steps.map(([step, point]) => ({
  group: 'server',
  step,
  fault: 'the server of Temporal killed and restarted',
  lake: 'versitygw',
  attack: 'server',
  blows: [{ point }],
}))

const ways: [Attack, string][] = [
  ['resets', 'connections to Temporal are reset'],
  ['lag', 'Temporal answers seconds late'],
]
const temporal: LaneCase[] = ways.flatMap(([attack, fault]) =>
  steps.map(([step, point]): LaneCase => ({
    group: 'network',
    step,
    fault,
    lake: 'versitygw',
    attack,
    blows: [{ point }],
  })),
)

export const kills: LaneCase[] = [...singles, ...second, ...pairs, ...stops, ...away, ...server, ...temporal]
