/**
 * One refresh of a connection's token, however many steps on however many workers ask: all of them start this workflow
 * under one id and wait for the same run.
 *
 * Laws
 * - Its answer is a version. The token itself goes from the vendor to the state store inside one local activity.
 * - A login that the vendor refuses ends in one event: the flows that use it are paused before those who wait are told.
 */
import { ApplicationFailure } from '@temporalio/common'
import { proxyLocalActivities } from '@temporalio/workflow'
import type { RefreshDigest, RefreshInput } from '../activities/digests.ts'
import type { Steps } from '../activities/steps.ts'
import { asFailure, failed } from './failures.ts'
import * as profiles from './profiles.ts'

const { refreshToken } = proxyLocalActivities<Steps>(profiles.token)
const { pauseFlows } = proxyLocalActivities<Steps>(profiles.pause)

export async function refreshConnection(input: RefreshInput): Promise<RefreshDigest> {
  let digest: RefreshDigest
  try {
    digest = await refreshToken(input)
  } catch (error) {
    throw asFailure(error)
  }
  if (!digest.lost) return digest
  const { message, reason } = digest.lost
  const told = await pausedFlows(input.connection, reason)
  throw ApplicationFailure.nonRetryable(`${message} ${told}`.trim(), 'ConnectionUnauthorized')
}

async function pausedFlows(connection: string, reason: string): Promise<string> {
  try {
    const { paused, failed: others } = await pauseFlows({ connection, reason })
    const sentences: string[] = []
    if (paused.length > 0) {
      sentences.push(`Paused until then: ${some(paused)}; \`lakeward unpause NAME\` starts them again.`)
    }
    if (others.length > 0) sentences.push(`Could not be paused: ${some(others)}.`)
    return sentences.join(' ')
  } catch (error) {
    return `Its flows could not be paused: ${failed(error).message}`
  }
}

function some(names: string[]): string {
  const most = 10
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`
}
