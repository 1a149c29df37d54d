/**
 * Every time-out and retry policy of the workflows, named once.
 *
 * Waits for a vendor (429, quota) are retries with a delay that the step's failure names: they hold no slot. Which
 * errors are worth another attempt is decided by the failure (`activities/failure.ts`), so no policy counts attempts; a
 * step that is stuck ends by its heartbeat.
 */
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow'
import { ActivityCancellationType, ParentClosePolicy, ChildWorkflowCancellationType } from '@temporalio/workflow'

const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' } as const

/** Steps that read and write small documents: minutes at most, longer only while a store settles. */
export const control = {
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '45s',
  retry,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions

/** One unit: it closes itself after a few minutes; the rest is for a slow vendor's last page. */
export const unit = {
  ...control,
  // Where both are taken from one queue, what is short does not wait behind a long load's units.
  priority: { priorityKey: 4 },
} satisfies ActivityOptions

/** Cleaning up must not keep a cancelled run alive for ever: what it leaves, the next run's open removes. */
export const cleanUp = { ...control, scheduleToCloseTimeout: '10 minutes' } satisfies ActivityOptions

/** A question to Temporal itself. */
export const lookUp = {
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '1 minute',
  retry: { ...retry, maximumAttempts: 3 },
} satisfies ActivityOptions

/** Whoever cannot be told for so long is not told: a run does not wait for an audience. */
export const notify = {
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '3 minutes',
  retry,
} satisfies ActivityOptions

/**
 * The vendor's token endpoint, inside the workflow task: a worker whose slots all wait for the token still gets it.
 * Few attempts: a vendor that rotates tokens may revoke them all when it sees an old one again.
 */
export const token = {
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '3 minutes',
  retry: { initialInterval: '2s', backoffCoefficient: 3, maximumAttempts: 3 },
} satisfies LocalActivityOptions

/** Schedules of a namespace, one after the other; those who wait for a token wait for this as well. */
export const pause = {
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '3 minutes',
  retry: { ...retry, maximumAttempts: 3 },
} satisfies LocalActivityOptions

export const lane = {
  parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const

/** A batch is its lane's: it goes on while its listener continues as new, or is ended. */
export const batch = { ...lane, parentClosePolicy: ParentClosePolicy.ABANDON } as const

/** Small objects into a lake; who waits for it is told soon. */
export const keep = { ...control, scheduleToCloseTimeout: '1 minute' } satisfies ActivityOptions

export const listening = {
  /** Pauses before a batch that failed is tried again. */
  retry: { firstMs: 5_000, mostMs: 300_000 },
  /** A flow that cannot run, or a lake that takes nothing, is looked at again so much later. */
  lookAgainMs: 60_000,
  /** So long a batch is waited for before it is left to itself and the listener continues as new. */
  turnMs: 20_000,
  /** So long who asked for a batch is waited for as well. */
  askedMs: 300_000,
} as const

/** Pauses between two tries for a lane that another run holds. */
export const queueWait = { firstMs: 2_000, mostMs: 30_000 } as const

/** A lane tells its parent how far it is at most this often. */
export const progressEveryMs = 20_000
