/** What is measured in which part, and which ratios the project promises of it. */
import type { ContestantName } from './contestants.ts'
import type { Options, Part } from './options.ts'
import type { Target } from './report.ts'
import type { Plan } from './rounds.ts'

export interface Heats extends Plan {
  part: Part
  targets: Target[]
}

const local: ContestantName[] = ['core', 'duck1', 'duck1alike', 'core20']
const overHttp: ContestantName[] = ['temporal', 'plane', 'pyarrow']
const limits: ContestantName[] = ['duckAll', 'duckAllAlike']

type Least = { least: number | null; aim: number | null }
const promised = (least: number, aim: number | null = null): Least => ({ least, aim })
const told: Least = { least: null, aim: null }
const target = (what: string, of: ContestantName, to: ContestantName, least: Least): Target => ({
  what,
  of,
  to,
  ...least,
})

const forms = { csv: 'CSV', json: 'JSON' } as const
const titles = { csv: 'Bulk CSV', json: 'REST JSON' } as const

function targetsOf(form: 'csv' | 'json'): Target[] {
  const csv = form === 'csv'
  const of = forms[form]
  return [
    target(`${of}: one core / DuckDB on one thread`, 'core', 'duck1', csv ? promised(1.3, 1.6) : promised(1.1, 1.4)),
    target(`${of}: one core / DuckDB on one thread, zstd 1, unordered`, 'core', 'duck1alike', told),
    target(`${of}: one core on Node 20 / DuckDB on one thread`, 'core20', 'duck1', told),
    target(
      `${of}: through Temporal / pyarrow by hand`,
      'temporal',
      'pyarrow',
      csv ? promised(1.2, 1.7) : promised(2, 3),
    ),
    target(
      `${of}: data plane alone / DuckDB local, all cores`,
      'plane',
      'duckAll',
      csv ? promised(0.75, 1) : promised(0.5, 0.75),
    ),
    target(`${of}: data plane alone / DuckDB local, all cores, zstd 1, unordered`, 'plane', 'duckAllAlike', told),
    target(`${of}: through Temporal / DuckDB local, all cores`, 'temporal', 'duckAll', told),
    target(`${of}: through Temporal / DuckDB local, all cores, zstd 1, unordered`, 'temporal', 'duckAllAlike', told),
    target(`${of}: through Temporal, Node 20 / pyarrow by hand`, 'temporal20', 'pyarrow', told),
  ]
}

export function heatsOf({ rows, rounds, short }: Pick<Options, 'rows' | 'rounds' | 'short'>): Heats[] {
  const million = short ? rows : 1_000_000
  const some = short ? rows : 100_000
  const both = ['csv', 'json'] as const
  return [
    ...both.map((form) => ({
      part: form,
      title: `${titles[form]}, ${rows.toLocaleString('en')} rows`,
      heat: { form, gzip: false, rows },
      rounds,
      warmUp: Math.min(rows, 200_000),
      names: [...overHttp, 'temporal20' as const, ...limits, ...local],
      targets: targetsOf(form),
    })),
    ...both.map((form) => ({
      part: 'gzip' as const,
      title: `${titles[form]}, gzip, ${rows.toLocaleString('en')} rows`,
      heat: { form, gzip: true, rows },
      rounds,
      names: ['temporal' as const, 'pyarrow' as const],
      targets: [
        target(
          `${forms[form]}, gzip: through Temporal / pyarrow by hand`,
          'temporal',
          'pyarrow',
          form === 'csv' ? promised(1.2, 1.7) : promised(2, 3),
        ),
      ],
    })),
    ...both.map((form) => ({
      part: 'million' as const,
      title: `${titles[form]}, ${million.toLocaleString('en')} rows`,
      heat: { form, gzip: false, rows: million },
      rounds,
      warmUp: Math.min(million, 200_000),
      names: ['temporal' as const, 'plane' as const],
      targets: [
        target(
          `${forms[form]}, ${million.toLocaleString('en')} rows: through Temporal / data plane alone`,
          'temporal',
          'plane',
          promised(0.9),
        ),
      ],
    })),
    {
      part: 'dlt',
      title: `REST JSON, ${some.toLocaleString('en')} rows`,
      heat: { form: 'json', gzip: false, rows: some },
      rounds: Math.min(rounds, 3),
      names: ['temporal', 'dlt'],
      targets: [target('JSON: through Temporal / dlt rest_api', 'temporal', 'dlt', promised(10))],
    },
  ]
}
