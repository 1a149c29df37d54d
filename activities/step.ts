/**
 * What every step runs inside: a beat that says work goes on, one translation of errors, one way to reach a connection.
 *
 * Laws
 * - A step that is alive beats at least every ten seconds, whatever it waits for; what is beaten is a position for
 *   people, never something that a retry would rely on.
 * - A beat costs: one that ends before the first is due sends none, however often it says where it is.
 */
import { Context, activityInfo } from '@temporalio/activity'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { asApplicationFailure } from './failure.ts'
import { callsOf, countTrouble, forgetStep } from './troubles.ts'

const BEAT_MS = 10_000

export interface StepContext {
  signal: AbortSignal
  beat: (position: string) => void
  /** Requests to the connections of this step, those of earlier attempts in this process with them. */
  calls: { made: number }
  /** Sentences for the run's details, told once each. */
  notes: Set<string>
  sleep: (ms: number) => Promise<void>
}

export function step<In, Out>(work: (input: In, context: StepContext) => Promise<Out>): (input: In) => Promise<Out> {
  return async (input) => {
    const context = Context.current()
    const { activityId, isLocal, heartbeatTimeoutMs, workflowExecution } = activityInfo()
    const name = `${workflowExecution?.runId}/${activityId}`
    const calls = callsOf(name)
    let position = ''
    const beat = (where: string): void => void (position = where)
    const everyMs = Math.min(BEAT_MS, (heartbeatTimeoutMs ?? BEAT_MS * 3) / 3)
    const timer = isLocal ? undefined : setInterval(() => context.heartbeat(position), everyMs)
    try {
      const output = await work(input, {
        signal: context.cancellationSignal,
        beat,
        calls,
        notes: new Set(),
        sleep: (ms) => context.sleep(ms),
      })
      forgetStep(name)
      return output
    } catch (error) {
      // Whatever fails once the step is to end, fails because of that: a call that was broken off has many names.
      const ends = context.cancellationSignal.aborted
      const failure = ends
        ? new CancelledFailure('the step was cancelled')
        : asApplicationFailure(error, (type) => countTrouble(name, type))
      if (ends || (failure instanceof ApplicationFailure && failure.nonRetryable)) forgetStep(name)
      // Attempts that come later in this process count on; a final failure tells what was asked in vain.
      if (failure instanceof ApplicationFailure && failure.nonRetryable) {
        Object.assign(failure, { details: [{ calls: calls.made }] })
      }
      // It would lie in the history, and be shown for a cause.
      failure.stack = ''
      throw failure
    } finally {
      clearInterval(timer)
    }
  }
}
