/** How a step's failures are told to Temporal: which are final, and when. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { expect, it } from 'vitest'
import { step } from '../../activities/step.ts'
import type { ErrorKind } from '../../connectors/connector.ts'
import { ConnectorError } from '../../connectors/errors.ts'

let steps = 0

/** Attempts of one step, each with the error that it meets. */
function attempts(): (error: Error) => Promise<ApplicationFailure> {
  const activityId = `step-${++steps}`
  let attempt = 0
  return async (error) => {
    const environment = new MockActivityEnvironment(
      { activityId, attempt: ++attempt },
      { logger: new DefaultLogger('ERROR') },
    )
    const work = step(() => Promise.reject(error))
    return (await environment.run(work, null).catch((failure: unknown) => failure)) as ApplicationFailure
  }
}

function met(kind: ErrorKind, waitMs?: number): ConnectorError {
  const doing = 'read Account'
  return new ConnectorError({
    connector: 'sample',
    doing,
    kind,
    reason: 'so',
    ...(waitMs === undefined ? {} : { waitMs }),
  })
}

it('waits do not use up the attempts of other failures', async () => {
  const attempt = attempts()
  for (let i = 0; i < 40; i++) expect(await attempt(met('throttled'))).toMatchObject({ nonRetryable: false })
  for (let i = 0; i < 6; i++) {
    expect(await attempt(met('answer'))).toMatchObject({ type: 'AnswerNotUnderstood', nonRetryable: false })
  }
  expect(await attempt(met('answer'))).toMatchObject({ type: 'AnswerNotUnderstood', nonRetryable: true })
})

it('a login that moved is compared once more, however many attempts there were', async () => {
  const attempt = attempts()
  for (let i = 0; i < 3; i++) await attempt(met('quota'))
  expect(await attempt(met('moved'))).toMatchObject({ type: 'LaneMoved', nonRetryable: false })
  expect(await attempt(met('moved'))).toMatchObject({ type: 'LaneMoved', nonRetryable: true })
})

it('an outage ends some day, also where the step itself says that it may heal', async () => {
  const attempt = attempts()
  const outage = (): ApplicationFailure =>
    ApplicationFailure.retryable('the token endpoint is away', 'SourceUnavailable')
  for (let i = 0; i < 100; i++) expect(await attempt(outage())).toMatchObject({ nonRetryable: false })
  expect(await attempt(outage())).toMatchObject({ type: 'SourceUnavailable', nonRetryable: true })
})

it('a vendor that asks for no wait at all gets one', async () => {
  expect(await attempts()(met('throttled', 0))).toMatchObject({ type: 'Throttled', nextRetryDelay: 1000 })
})

it('what breaks when a step is cancelled is its cancellation, whatever it is called', async () => {
  const environment = new MockActivityEnvironment({ activityId: 'cancelled' })
  const work = step(async (_: null, { signal }) => {
    while (!signal.aborted) await sleep(5)
    throw new Error('1 CANCELLED: Call cancelled')
  })
  const ended = environment.run(work, null).catch((failure: unknown) => failure)
  environment.cancel()
  expect(await ended).toBeInstanceOf(CancelledFailure)
})

it('no stack of ours goes into the history', async () => {
  expect(await attempts()(new TypeError('cannot read it'))).toMatchObject({ type: 'Bug', stack: '' })
})
