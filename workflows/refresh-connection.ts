/**
 * One refresh of a connection's token, however many steps on however many workers ask: all of them start this workflow
 * under one id and wait for the same run.
 *
 * Law: its answer is a version. The token itself goes from the vendor to the state store inside one local activity.
 */
import { proxyLocalActivities } from '@temporalio/workflow'
import type { RefreshDigest, RefreshInput } from '../activities/digests.ts'
import type { Steps } from '../activities/steps.ts'
import { asFailure } from './failures.ts'
import * as profiles from './profiles.ts'

const { refreshToken } = proxyLocalActivities<Steps>(profiles.token)

export async function refreshConnection(input: RefreshInput): Promise<RefreshDigest> {
  try {
    return await refreshToken(input)
  } catch (error) {
    throw asFailure(error)
  }
}
