/** How a step asks for a newer token, and what it makes of the answer. */
import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import { WorkflowFailedError } from '@temporalio/client'
import type { Client } from '@temporalio/client'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, it } from 'vitest'
import { renew } from '../../activities/renew.ts'

/** Asks for a token newer than version 7; each refresh ends as given, the first one first. */
async function ask(...refreshes: (() => { version: number })[]) {
  const signals: AbortSignal[] = []
  let started = 0
  const client = {
    workflow: {
      start: async (_type: string, { workflowId }: { workflowId: string }) => {
        const end = refreshes[started++]
        if (!end) throw new WorkflowExecutionAlreadyStartedError('too many', workflowId, 'refreshConnection')
        return { workflowId, result: async () => end() }
      },
    },
    withAbortSignal: <T>(signal: AbortSignal, work: () => Promise<T>) => (signals.push(signal), work()),
  }
  const environment = new MockActivityEnvironment({}, { client: client as unknown as Client })
  const failure = await environment
    .run(() => renew({ connection: 'crm', staleVersion: 7 }))
    .then(
      () => null,
      (error: unknown) => error as ApplicationFailure,
    )
  // The environment's own call comes first, and lasts as long as the step.
  return { failure, started, waiting: signals.slice(1).filter(({ aborted }) => !aborted).length }
}

function fails(failure: ApplicationFailure): () => never {
  return () => {
    throw new WorkflowFailedError('failed', failure, 'NON_RETRYABLE_FAILURE')
  }
}

it('one refresh is enough, and nobody waits for it any longer', async () => {
  expect(await ask(() => ({ version: 8 }))).toEqual({ failure: null, started: 1, waiting: 0 })
})

it('a refresh that was under way for an older token is followed by another', async () => {
  const [older, newer] = [() => ({ version: 7 }), () => ({ version: 8 })]
  expect(await ask(older, newer)).toEqual({ failure: null, started: 2, waiting: 0 })
})

it('what the refresh calls final is final, and nothing else', async () => {
  const final = ApplicationFailure.nonRetryable('the token endpoint is not there', 'RequestRejected')
  expect((await ask(fails(final))).failure).toMatchObject({ type: 'RequestRejected', nonRetryable: true })
  const passing = ApplicationFailure.retryable('it is away', 'SourceUnavailable')
  expect((await ask(fails(passing))).failure).toMatchObject({ type: 'SourceUnavailable', nonRetryable: false })
})
