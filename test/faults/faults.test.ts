/**
 * The fault matrix in small: cases of most classes with fixed seeds, and that the rig sees what is wrong. `npm run
 * faults` is all of it; SIGTERM and storms are also in `test/e2e/kills-random.test.ts`, events in `webhooks.test.ts`.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { orSkip } from '../components.ts'
import { findVersitygw } from '../../worker/versitygw-binary.ts'
import { describeWithTemporal } from '../temporal.ts'
import { wavesOf } from './cases/all.ts'
import type { CaseResult } from './fault-case.ts'
import { openHouse } from './house.ts'
import type { House } from './house.ts'
import { findToxiproxy } from './toxiproxy.ts'
import { tell } from './verdict.ts'
import { runWaves } from './waves.ts'

const SHORT = new Set([
  ...['describe', 'plan-written', 'a-page-of-the-second-unit', 'file-staged', 'unit-recorded', 'count-at-commit'].map(
    (step) => `kill/${step}/kill -9`,
  ),
  ...['entry-written', 'first-file-visible', 'outcome-written', 'first-unit-record-removed', 'plan-removed'].map(
    (step) => `kill/${step}/kill -9`,
  ),
  'kill/before the entry/kill -9, again after the entry',
  'kill/after the first completion/kill -9, again before the outcome',
  'kill/sweep/kill -9, given up, kill -9',
  'kill/cancel-fence/kill -9, cancelled, kill -9',
  'stop/entry-written/SIGSTOP, wakes when all is over',
  'stop/file-staged/SIGSTOP, wakes when all is over',
  'server/first-file-visible/the server of Temporal killed and restarted',
  'destination/the entry is written/answer lost, three times',
  'destination/an upload is completed/done, and answered 200 with an error in the body',
  'destination/a part is sent/connection reset, four times',
  'destination/a part is sent/NoSuchUpload: a rule dropped it',
  'destination/a unit is recorded/done, and answered 412',
  'source/a page in the middle is read/token expired',
  'source/the last page is read/429 with Retry-After, three times',
  'source/the first page is read/JSON cut short',
  'source/Bulk: a job works/it vanishes',
  'source/pages are read/records are changed',
  'network/to the bucket, in the middle/reset, upstream',
  'records/upsert by REST: records are sent/kill -9, done and not answered',
  'records/insert by Bulk: its data is sent/kill -9, its request comes late',
])
const found = await orSkip(Promise.all([findToxiproxy(), findVersitygw()]), 'the fault matrix')

describeWithTemporal('the fault matrix in small', () => {
  let house: House
  beforeAll(async () => {
    if (found) house = await openHouse()
  })
  afterAll(() => house?.close())

  it.skipIf(!found)('nothing is lost, doubled or wrong, no run is stuck, and nothing is left', async () => {
    const results: CaseResult[] = []
    const waves = wavesOf((name) => SHORT.has(name))
    await runWaves(house, waves, { parallel: 4, seed: 7, done: (some) => results.push(...some) })
    expect(results.filter(({ ok }) => !ok)).toEqual([])
    expect(new Set(results.map(({ name }) => name))).toEqual(SHORT)
  })
})

it('the verdict tells lost, doubled and wrong rows apart', () => {
  const row = (Id: string, Name: string) => ({ Id, Name, SystemModstamp: '2026-01-01 00:00:00+00' })
  const none = { onlyFiles: [], onlySource: [], files: 3, source: 3 }
  expect(tell(none)).toEqual({ lost: 0, doubled: 0, wrong: 0 })
  expect(tell({ ...none, onlySource: [row('a', 'x')], files: 2 })).toEqual({ lost: 1, doubled: 0, wrong: 0 })
  expect(tell({ ...none, onlyFiles: [row('a', 'x')], files: 5 })).toEqual({ lost: 0, doubled: 2, wrong: 0 })
  const wrong = { ...none, onlyFiles: [row('a', 'x')], onlySource: [row('a', 'y')] }
  expect(tell(wrong)).toEqual({ lost: 0, doubled: 0, wrong: 1 })
})
