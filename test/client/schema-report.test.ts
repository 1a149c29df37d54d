import { expect, it } from 'vitest'
import type { ObjectResult } from '../../activities/digests.ts'
import { schemaReport } from '../../client/commands/schema-report.ts'
import type { RunSummary } from '../../client/runs.ts'

const run = (...objects: Partial<ObjectResult>[]): RunSummary =>
  ({ outcome: { result: { objects: objects.map((one) => ({ object: 'A', ...one })) } } }) as unknown as RunSummary

it('tells of each object what the newest run that knows it said', () => {
  const runs = [
    {} as RunSummary,
    run({ schemaVersion: 3, drift: ['new field X\u001b (int32)', 'field Y has vanished'] }, { object: 'B' }),
    run({ schemaVersion: 2 }, { object: 'B', schemaVersion: 1, drift: [] }),
  ]
  expect(schemaReport(runs)).toEqual([
    ['Schema of A', expect.stringMatching(/^version 3\nnew field X.* \(int32\)\nfield Y has vanished$/)],
    ['Schema of B', 'version 1'],
  ])
  expect(schemaReport(runs)[0]?.[1]).not.toContain('\u001b')
})

it('tells why a run could not go on, where that was it', () => {
  const error = { type: 'DriftFound', message: 'field Y has vanished' }
  expect(schemaReport([run({ error }), run({ schemaVersion: 1 })])).toEqual([
    ['Schema of A', 'DriftFound: field Y has vanished'],
  ])
  const other = { type: 'Throttled', message: 'later' }
  expect(schemaReport([run({ error: other }), run({ schemaVersion: 1 })])).toEqual([['Schema of A', 'version 1']])
})
