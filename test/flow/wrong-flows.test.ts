/** Wrong flows, one mistake each, and some with many. */
import { describe, expect, it } from 'vitest'
import { parseText } from '../../connectors/document.ts'
import { parseFlow } from '../../connectors/flow.ts'
import { caught, flow, problemsIn, tellEach, type Wrong } from './one-mistake.ts'

const S = 'source.objects[0].transform[0]'
const W = 'source.objects[0].where'

const unknownKeys: Wrong[] = [
  ['object', 'transfrom: []', 'source.objects[0].transfrom', /^unknown key 'transfrom', did you mean 'transform'\?$/],
  ['top', 'triger: {}', 'triger', /did you mean 'trigger'/],
  ['top', 'ondrift: evolve', 'ondrift', /did you mean 'onDrift'/],
  ['top', 'where: {}', 'where', /unknown key 'where' in a flow/, /belongs to an object/],
  [
    'source',
    'prefix: raw',
    'source.prefix',
    /unknown key 'prefix' in source/,
    // Tables of connectors have one as well, where they are loaded by then.
    /belongs to (?:[a-z]+ or )*destination/,
  ],
  [
    'destination',
    'compression: zstd',
    'destination.compression',
    /unknown key/,
    /known keys: connection, prefix, write/,
  ],
  ['step', '{ kep: [Id] }', `${S}.kep`, /did you mean 'keep'/],
  ['step', '{ mask: { fields: [A], keeplast: 4 } }', `${S}.mask.keeplast`, /did you mean 'keepLast'/],
  ['where', '{ A: { equals: 1 } }', `${W}.A.equals`, /unknown key 'equals'/, /known keys: eq, ne/],
  ['trigger', '{ cron: 0 2 * * *, timeZone: UTC }', 'trigger.timeZone', /did you mean 'timezone'/],
  ['run', '{ fulll: true }', 'run.fulll', /did you mean 'full'/],
  ['top', '<<: { a: 1 }', '["<<"]', /unknown key '<<'/, /no merge keys/],
]

const notYet: Wrong[] = [
  ['top', 'maxQuarantined: 101%', 'maxQuarantined', /^is no share/],
  ['top', 'maxQuarantined: -1', 'maxQuarantined', /./],
  ['object', 'schema: { a: string }', 'source.objects[0].schema', /^`schema` says how files are read/, /set `format`/],
  ['where', '{ A: { containsAny: [x] } }', `${W}.A.containsAny`, /^not yet: containsAny/],
  ['destination', 'catalog: {}', 'destination.catalog', /^not yet: catalog/],
  ['destination', 'columns: text', 'destination.columns', /^not yet: columns/],
  ['destination', 'single: true', 'destination.single', /^not yet: single/],
  ['trigger', '{ event: changes }', 'trigger.event', /^not yet: 'changes'/],
]

const kinds: Wrong[] = [
  ['top', 'description: 12', 'description', /must be text, not a number/, /quotes/],
  ['top', 'paused: yes', 'paused', /must be true or false, not text/, /yes, no, on and off are text/],
  ['top', 'tags: { team: 7 }', 'tags.team', /must be text, not a number/, /quotes/],
  ['top', 'tags: [a]', 'tags', /must be a mapping/],
  ['top', 'onDrift: ignored', 'onDrift', /'ignored' is not one of evolve \| ignore \| fail, did you mean 'ignore'/],
  ['top', 'onInvalid:', 'onInvalid', /must be drop \| quarantine \| fail, not empty/],
  ['source', 'includeDeleted: "true"', 'source.includeDeleted', /must be true or false/],
  ['source', 'options: rest', 'source.options', /must be a mapping/, /connector's own options/],
  ['object', 'transform: { drop: [A] }', 'source.objects[0].transform', /must be a list, not a mapping/],
  ['object', 'where: [A]', 'source.objects[0].where', /must be a mapping/],
]

const names: Wrong[] = [
  ['object', 'into: ../other', 'source.objects[0].into', /must not have \. or \.\./, /sales/],
  ['object', 'into: /abs', 'source.objects[0].into', /begin or end with \//],
  ['object', 'into: a//b', 'source.objects[0].into', /empty part/],
  ['object', 'into: _lakeward/x', 'source.objects[0].into', /_lakeward, which holds the ledger/],
  ['object', 'into: "a\\\\b"', 'source.objects[0].into', /backslash/],
  ['object', 'id: ""', 'source.objects[0].id', /is empty/],
  ['destination', 'prefix: _lakeward', 'destination.prefix', /_lakeward/],
  ['destination', 'prefix: raw/', 'destination.prefix', /begin or end with \//],
  ['top', 'taskQueue: ""', 'taskQueue', /is empty/],
]

const triggers: Wrong[] = [
  ['trigger', '{}', 'trigger', /says no time/, /cron, every or event/],
  ['trigger', '{ cron: 0 2 * * *, every: 1h }', 'trigger', /has cron and every/, /exactly one of cron, every, event/],
  ['source', 'lookback: 1 hour', 'source.lookback', /'1 hour' is not a duration/, /2h or 7d/],
  ['source', 'lookback: 0s', 'source.lookback', /longer than nothing/],
  ['source', 'lookback: 1h\n  read: full', 'source.lookback', /incremental reads only/, /remove it/],
  ['object', 'lookback: 1h\n      read: full', 'source.objects[0].lookback', /incremental reads only/],
  ['trigger', '{ every: 1h, jitter: 60m }', 'trigger.jitter', /is as long as every/, /less than every/],
  ['trigger', '{ every: 1h, jitter: 5 }', 'trigger.jitter', /must be text, not a number/],
  ['trigger', '{ every: 1h, start: tomorrow }', 'trigger.start', /'tomorrow' is not a time/, /2024-01-31/],
  ['trigger', '{ every: 1h, start: 2026-02-30 }', 'trigger.start', /not in the calendar/],
  ['trigger', '{ every: 1h, start: "2026-01-01T00:00:00.5Z" }', 'trigger.start', /finer than seconds/, /whole seconds/],
  ['trigger', '{ every: 1h, start: 2026-02-01, end: 2026-01-01 }', 'trigger.end', /no run would ever begin/, /swap/],
  ['trigger', '{ every: 1h, catchUp: 5s }', 'trigger.catchUp', /less than Temporal takes/, /10s or more/],
  ['trigger', '{ every: 1h, catchup: 5h }', 'trigger.catchup', /did you mean 'catchUp'/],
  ['trigger', '{ every: 1h, pauseAfterFailures: 0 }', 'trigger.pauseAfterFailures', /at least 1/],
  ['trigger', '{ every: 1h, pauseAfterFailures: 11 }', 'trigger.pauseAfterFailures', /at most 10/, /remembers/],
  ['trigger', '{ every: 1h, pauseAfterFailures: "2" }', 'trigger.pauseAfterFailures', /number/],
  ['trigger', '{ every: 1h, timezone: UTC }', 'trigger.timezone', /cron only/, /remove/],
  ['trigger', '{ cron: 0 2 * * *, timezone: Berlin }', 'trigger.timezone', /did you mean 'Europe\/Berlin'/],
  ['trigger', '{ cron: 0 2 * * *, timezone: europe/berlin }', 'trigger.timezone', /did you mean 'Europe\/Berlin'/],
  ['trigger', '{ cron: 0 2 * * *, timezone: "+02:00" }', 'trigger.timezone', /not a time zone/, /Europe\/Berlin/],
  ['trigger', '{ cron: 0 2 * * }', 'trigger.cron', /has 4 fields, not 5/, /minute, hour/],
  ['trigger', '{ cron: 0 0 2 * * * }', 'trigger.cron', /has 6 fields, not 5/],
  ['trigger', '{ cron: "@daily" }', 'trigger.cron', /'@daily' is not read/, /five fields/],
  ['trigger', '{ cron: 61 2 * * * }', 'trigger.cron', /minute: '61' is out of range/, /0 to 59/],
  ['trigger', '{ cron: 0 2 * * FOO }', 'trigger.cron', /day of week: 'FOO'/, /SUN-SAT/],
  ['trigger', '{ cron: 0 2 * * FRI-MON }', 'trigger.cron', /runs backwards/, /two ranges/],
  ['trigger', '{ cron: 0 2 30 FEB * }', 'trigger.cron', /never comes/],
  ['trigger', '{ cron: "*/0 * * * *" }', 'trigger.cron', /step of nothing/],
  ['trigger', '{ cron: 5#2 * * * * }', 'trigger.cron', /is not read/],
]

const destinations: Wrong[] = [
  ['destination', 'write: replace', 'destination.write', /incremental read \('Account'\)/, /read: full/],
  ['destination', 'write: append-only', 'destination.write', /is not one of append \| replace/],
  ['destination', 'format: json', 'destination.format', /not one of parquet \| jsonl \| csv, did you mean 'jsonl'/],
  ['destination', 'layout: hive', 'destination.layout', /not one of lakeward \| appflow/],
  ['destination', 'fileSize: 256', 'destination.fileSize', /must be text, not a number/, /256MB/],
  ['destination', 'fileSize: 10KB', 'destination.fileSize', /'10KB' is not a size/, /MB or GB/],
  ['destination', 'fileSize: 0MB', 'destination.fileSize', /at least 1MB/],
  ['destination', 'fileSize: 2000GB', 'destination.fileSize', /more than a file can be/],
  ['destination', 'partitionBy: day(run)', 'destination.partitionBy', /must be a list/],
  [
    'destination',
    'partitionBy: [week(run)]',
    'destination.partitionBy[0]',
    /'week' is no part of a time/,
    /year, month/,
  ],
  ['destination', 'partitionBy: [day()]', 'destination.partitionBy[0]', /names no field/],
  ['destination', 'partitionBy: [day(run]', 'destination.partitionBy[0]', /is no partition/],
  ['destination', 'partitionBy: [A, A]', 'destination.partitionBy[1]', /listed twice/],
]

const times: Wrong[] = [
  ['source', 'startFrom: 2024', 'source.startFrom', /must be text, not a number/, /2024-01-31/],
  ['source', 'startFrom: yesterday', 'source.startFrom', /'yesterday' is not a time/],
  ['source', 'startFrom: 2024-02-30', 'source.startFrom', /not in the calendar/],
  ['source', 'startFrom: 2024-01-31 10:00', 'source.startFrom', /is not a time/, /2024-01-31T10:30:00Z/],
  ['source', 'startFrom: 2024-01-31T24:00:00Z', 'source.startFrom', /not in the calendar/],
  ['source', 'startFrom: 2024-01-31T10:00:00+25:00', 'source.startFrom', /out of range/],
  ['source', 'startFrom: 2024-01-31T10:00:00.1234Z', 'source.startFrom', /finer than milliseconds/],
  ['source', 'settle: 10', 'source.settle', /must be text, not a number/, /30s, 10m/],
  ['source', 'settle: 10min', 'source.settle', /'10min' is not a duration/, /10m/],
  ['source', 'settle: 1h30m', 'source.settle', /is not a duration/],
  ['trigger', '{ every: 0m }', 'trigger.every', /longer than nothing/],
  ['trigger', '{ every: 5000d }', 'trigger.every', /longer than ten years/],
]

const runs: Wrong[] = [
  ['run', '{ from: 2024-01-02, to: 2024-01-01 }', 'run.from', /from is not before to/],
  ['run', '{ from: 2024-01-01T00:00:00+02:00, to: 2023-12-31T22:00:00Z }', 'run.from', /from is not before to/],
  ['run', '{ from: 2024-01-02 }', 'run.from', /from stands alone/, /both/],
  ['run', '{ to: 2024-01-02 }', 'run.to', /to stands alone/],
  ['run', '{ from: 2024-01-01, to: 2024-01-02, full: true }', 'run.full', /no window/, /leave out/],
  ['run', '{ keepOld: true }', 'run.keepOld', /only to a run that replaces/, /full: true/],
  ['run', '{ again: true }', 'run.again', /only to a window/],
  ['run', '{ objects: [] }', 'run.objects', /at least 1/],
  ['run', '{ objects: [A, A] }', 'run.objects[1]', /listed twice/],
  ['run', '{ from: now, to: 2024-01-01 }', 'run.from', /'now' is not a time/],
  ['run', '{ full: 1 }', 'run.full', /must be true or false/],
]

tellEach({ unknownKeys, notYet, kinds, names, triggers, destinations, times, runs })

/** Whole documents: what a mistake in one part cannot show. */
const documents: [name: string, text: string, wheres: string[], what: RegExp, advice?: RegExp][] = [
  ['version missing', flow({}).replace('version: 1\n', ''), ['version'], /'version' is missing/, /version: 1/],
  ['version of another release', flow({}).replace('version: 1', 'version: 2'), ['version'], /not a version/],
  ['name missing', flow({}).replace('name: orders\n', ''), ['name'], /'name' is missing/],
  ['name in capitals', flow({}).replace('orders', 'Orders'), ['name'], /'Orders' is not a name/, /a-z/],
  ['name that is a number', flow({}).replace('orders', '2024'), ['name'], /must be text/, /quotes/],
  ['name too long', flow({}).replace('orders', 'o'.repeat(65)), ['name'], /is not a name/, /64/],
  ['no connection', flow({}).replace('connection: crm', ''), ['source.connection'], /is missing/, /lakeward.yaml/],
  ['no destination', flow({}).replace(/destination:[^]*/, ''), ['destination'], /is missing/, /Where the records go/],
  ['no objects', flow({}).replace(/objects:[^]*Account/, 'objects: []'), ['source.objects'], /at least 1, has 0/],
  [
    'an object that is a number',
    flow({ object: '- 12' }).replace('      - 12', '    - 12'),
    ['source.objects[1]'],
    /number/,
  ],
  [
    'a pattern with a name',
    objects('{ object: Contact*, id: c }'),
    ['source.objects[0].id'],
    /cannot go with a pattern/,
  ],
  [
    'one object twice',
    objects('A', '{ object: A, into: a2 }'),
    ['source.objects[1].object'],
    /two objects have the id 'A'/,
    /id/,
  ],
  ['one id twice', objects('{ object: A, id: x }', '{ object: B, id: x }'), ['source.objects[1].id'], /the id 'x'/],
  [
    'one folder twice',
    objects('{ object: A, into: x }', '{ object: B, into: x }'),
    ['source.objects[1].into'],
    /would mix/,
  ],
  ['a folder by name', objects('A', '{ object: B, into: A }'), ['source.objects[1].into'], /same folder as 'A'/],
  [
    'folders in each other',
    objects('{ object: A, into: x/y }', '{ object: B, into: x }'),
    ['source.objects[1].into'],
    /mix/,
  ],
  ['a name with a slash', objects('a/b'), ['source.objects[0]'], /'a\/b' does not fit/, /set `into`/],
  ['a name that is ours', objects('_lakeward'), ['source.objects[0]'], /does not fit/],
  [
    'appflow with two',
    `${objects('A', 'B')}  layout: appflow\n`,
    ['destination.layout'],
    /2 objects/,
    /one flow per object/,
  ],
  [
    'appflow with into',
    `${objects('{ object: A, into: a }')}  layout: appflow\n`,
    ['source.objects[0].into'],
    /no place/,
  ],
  [
    'a window that replaces',
    `${flow({ source: 'read: full', destination: 'write: replace' })}run: { from: 2024-01-01, to: 2024-01-02 }`,
    ['run.from'],
    /cannot replace/,
  ],
  [
    'one of two incremental',
    `${objects('{ object: A, read: full }', 'B')}  write: replace\n`,
    ['destination.write'],
    /\('B'\)/,
  ],
]

function objects(...list: string[]): string {
  const lines = list.map((one) => `    - ${one}\n`).join('')
  return `version: 1\nname: f\nsource:\n  connection: crm\n  objects:\n${lines}destination:\n  connection: lake\n`
}

describe('documents', () => {
  it.each(documents)('%s', (_, text, wheres, what, advice) => {
    const problems = problemsIn(text)
    expect(problems.map(({ where }) => where.replace(/^f\.yaml:\d+ /, ''))).toEqual(wheres)
    expect(problems[0]!.what).toMatch(what)
    if (advice) expect(problems[0]!.advice).toMatch(advice)
  })

  it.each([
    ['a list', [], /is a list, not a mapping/],
    ['text', 'flow', /is a single value/],
    ['nothing', null, /is empty/],
  ])('%s is no flow', (_, input, what) => {
    const problem = caught(() => parseFlow(input)).problems[0]!
    expect(problem).toMatchObject({ where: 'flow', what: expect.stringMatching(what) as string })
    expect(problem.advice).toMatch(/version: 1/)
  })
})

describe('a document with many mistakes', () => {
  const text = `version: 1
name: Orders
source:
  connection: crm
  read: ful
  objects:
    - object: Account
      transform:
        - mask: { fields: [Phone], keepLast: x }
    - Account
destination:
  connection: lake
  write: replace
trigger:
  cron: 0 25 * * *
`
  it('tells all of them, in the order of the file, with their lines', () => {
    expect(problemsIn(text).map(({ where }) => where)).toEqual([
      'f.yaml:2 name',
      'f.yaml:5 source.read',
      'f.yaml:9 source.objects[0].transform[0].mask.keepLast',
      'f.yaml:10 source.objects[1]',
      'f.yaml:10 source.objects[1]',
      'f.yaml:15 trigger.cron',
    ])
  })

  it('tells the same without a file, by path', () => {
    const { problems } = caught(() => parseFlow(parseText(text, 'f.yaml').value))
    expect(problems.map(({ where }) => where)).toContain('source.objects[0].transform[0].mask.keepLast')
    expect(problems).toHaveLength(6)
  })

  it('refuses integers that JSON from elsewhere cannot hold', () => {
    const list = '[{ "object": "A", "where": { "N": { "eq": 9007199254740993 } } }]'
    const source = `{ "connection": "a", "objects": ${list} }`
    const json = `{ "version": 1, "name": "f", "source": ${source}, "destination": { "connection": "b" } }`
    const { problems } = caught(() => parseFlow(JSON.parse(json)))
    expect(problems).toEqual([
      {
        where: 'source.objects[0].where.N.eq',
        what: expect.stringMatching(/held exactly/) as string,
        advice: expect.stringMatching(/quotes/) as string,
      },
    ])
  })
})
