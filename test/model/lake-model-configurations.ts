/** Small worlds, each about a few features, each searched to its end. */
import type { Configuration, RunSpec } from './lake-model-rules.ts'

const first: RunSpec = { name: 'first run', namespace: 0, kind: 'incremental', bound: 1, restarts: 'first run again' }
const again: RunSpec = { name: 'first run again', namespace: 0, kind: 'incremental', bound: 1 }
const next: RunSpec = { name: 'next run', namespace: 0, kind: 'incremental', bound: 2 }
const foreign: RunSpec = { name: 'foreign run', namespace: 1, kind: 'incremental', bound: 2 }

const upTo = (bound: number, run: RunSpec): RunSpec => ({ ...run, bound })

const plain: Configuration = {
  name: 'plain',
  runs: [first, again, next],
  records: 2,
  start: 0,
  ranges: 1,
  unitRecords: [2],
  steps: false,
  flight: 'none',
  foreignIsOld: false,
  hint: false,
  zombies: ['open', 'plan', 'extract', 'commit', 'close', 'cancel'],
  most: {
    timeouts: 0,
    terminations: 0,
    cancels: 0,
    expiries: 0,
    resets: 0,
    attempts: 3,
    entries: 7,
    units: 3,
  },
}

const most = (change: Partial<Configuration['most']>) => ({ ...plain.most, ...change })

export const configurations = {
  zombies: { ...plain, name: 'zombies and terminated runs', most: most({ timeouts: 1, terminations: 1 }) },
  cancel: { ...plain, name: 'cancelled and failed runs', most: most({ timeouts: 1, cancels: 1 }) },
  expiry: {
    ...plain,
    name: 'uploads that expire',
    runs: [upTo(2, first), upTo(2, again), next],
    unitRecords: [1],
    flight: 'settles',
    zombies: ['commit'],
    most: most({ timeouts: 1, expiries: 1 }),
  },
  flight: {
    ...plain,
    name: 'completes that outlast the settle wait',
    flight: 'outlasts',
    zombies: ['commit'],
    most: most({ timeouts: 2, attempts: 4 }),
  },
  units: {
    ...plain,
    name: 'units of any size, in two ranges',
    runs: [{ ...upTo(3, first), restarts: undefined }],
    records: 3,
    ranges: 2,
    unitRecords: [1, 2],
    zombies: ['extract', 'commit'],
    most: most({ timeouts: 1, attempts: 4, units: 5 }),
  },
  foreign: {
    ...plain,
    name: 'a foreign run that is taken for dead',
    runs: [first, again, foreign],
    foreignIsOld: true,
    zombies: ['open'],
    most: most({ timeouts: 1, attempts: 4 }),
  },
  steps: {
    ...plain,
    name: 'loads in steps',
    runs: [upTo(2, first), next],
    unitRecords: [1],
    steps: true,
    zombies: ['commit'],
    most: most({ timeouts: 1, terminations: 1, expiries: 1, attempts: 4, entries: 8 }),
  },
  cancelledSteps: {
    ...plain,
    name: 'loads in steps, cancelled',
    runs: [upTo(2, first), next],
    unitRecords: [1],
    steps: true,
    zombies: ['commit', 'cancel'],
    most: most({ timeouts: 1, cancels: 1, attempts: 4, entries: 8 }),
  },
  generations: {
    ...plain,
    name: 'generations in steps',
    runs: [first, { ...upTo(2, first), name: 'replacing run', kind: 'generation' }],
    unitRecords: [1],
    steps: true,
    zombies: ['commit'],
    most: most({ timeouts: 1, terminations: 1, expiries: 1, entries: 8 }),
  },
  windows: {
    ...plain,
    name: 'from/to beside a normal run, then a full read',
    runs: [
      { ...first, name: 'window run', kind: 'window' },
      { ...next, name: 'normal run', namespace: 1, restarts: 'normal run again' },
      { ...next, name: 'normal run again', namespace: 1 },
      { ...next, name: 'replacing run', kind: 'generation' },
    ],
    start: 1,
    zombies: ['commit'],
    most: most({ timeouts: 1, attempts: 4 }),
  },
  reset: {
    ...plain,
    name: 'reset workflows',
    zombies: ['open'],
    most: most({ timeouts: 1, terminations: 1, resets: 1, attempts: 4, entries: 8 }),
  },
  resetSteps: {
    ...plain,
    name: 'reset workflows that load in steps',
    runs: [upTo(2, first), upTo(2, again)],
    unitRecords: [1, 2],
    steps: true,
    zombies: ['commit'],
    most: most({ timeouts: 1, resets: 1, units: 4 }),
  },
  hint: {
    ...plain,
    name: 'a hint beside a void',
    runs: [upTo(2, first), upTo(2, again)],
    unitRecords: [1],
    flight: 'settles',
    hint: true,
    zombies: ['commit'],
    most: most({ timeouts: 1, expiries: 1 }),
  },
} satisfies Record<string, Configuration>
