/**
 * What the steps did, as counters beside the SDK's own, for whoever collects those.
 *
 * They tell what this worker did, work that was done twice included; what is true of the lake is in its ledger alone.
 */
// https://typescript.temporal.io/api/interfaces/common.MetricMeter
import { Context } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import type { MetricTags } from '@temporalio/common'
import type { LaneTask } from './digests.ts'
import type { Steps } from './steps.ts'

/** Name, and what it counts. */
const counters = {
  lakeward_rows_read: 'Records read from sources',
  lakeward_rows_written: 'Records in closed files, committed or not yet',
  lakeward_rows_quarantined: 'Records set aside because they broke a rule',
  lakeward_bytes_written: 'Bytes of closed files',
  lakeward_calls: 'Requests to sources',
  lakeward_units: 'Units ended: what a crash repeats at most',
  lakeward_commits: 'Entries of ledgers that decided for files',
  lakeward_voids: 'Entries whose staged files were lost; they are read again',
  lakeward_token_refreshes: 'Answers of token endpoints',
} as const

export type CounterName = keyof typeof counters

function count(name: CounterName, value: number, tags: MetricTags): void {
  if (value > 0) Context.current().metricMeter.createCounter(name, undefined, counters[name]).add(value, tags)
}

/** The longest that this process did nothing else since the unit before ended, milliseconds. */
export function tellBlock(ms: number): void {
  const about = 'Longest block of the event loop since the last unit ended'
  Context.current().metricMeter.createGauge('lakeward_longest_block', 'float', 'ms', about).set(ms)
}

const lane = ({ task }: { task: LaneTask }): MetricTags => ({ flow: task.lane.flow, object: task.lane.object })

/** Requests of a step that ended; one that failed for good tells them in its details. */
async function called<In extends { task: LaneTask }, Out extends { calls: number }>(
  work: (input: In) => Promise<Out>,
  input: In,
): Promise<Out> {
  try {
    const digest = await work(input)
    count('lakeward_calls', digest.calls, lane(input))
    return digest
  } catch (error) {
    const told =
      error instanceof ApplicationFailure ? (error.details?.[0] as { calls?: number } | undefined) : undefined
    count('lakeward_calls', told?.calls ?? 0, lane(input))
    throw error
  }
}

/** The same steps, counted. */
export function metered(steps: Steps): Steps {
  return {
    ...steps,
    describeObject: (input) => called(steps.describeObject, input),
    async extractUnit(input) {
      const digest = await called(steps.extractUnit, input)
      const { read, written, quarantined, bytes } = digest.counts
      const tags = lane(input)
      count('lakeward_rows_read', read, tags)
      count('lakeward_rows_written', written, tags)
      count('lakeward_rows_quarantined', quarantined, tags)
      count('lakeward_bytes_written', bytes, tags)
      count('lakeward_units', 1, tags)
      return digest
    },
    async commitRun(input) {
      try {
        const digest = await called(steps.commitRun, input)
        if (digest.n !== null) count('lakeward_commits', 1, lane(input))
        return digest
      } catch (error) {
        const lost = error instanceof ApplicationFailure && error.type === 'StagedDataLost'
        if (lost) count('lakeward_voids', 1, lane(input))
        throw error
      }
    },
    async refreshToken(input) {
      const digest = await steps.refreshToken(input)
      count('lakeward_token_refreshes', 1, { connection: input.connection })
      return digest
    },
  }
}
