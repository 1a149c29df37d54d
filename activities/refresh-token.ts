/** The vendor call of `refreshConnection`; runs as a local activity, and its answer is a version. */
import { LoginLost } from '../connectors/errors.ts'
import { currentNamespace } from './namespace.ts'
import type { Deps } from './deps.ts'
import type { RefreshDigest, RefreshInput } from './digests.ts'
import { step } from './step.ts'

export const refreshToken = (deps: Deps) =>
  step(async (input: RefreshInput): Promise<RefreshDigest> => {
    const { id } = await currentNamespace()
    try {
      return await deps.refresh(input, id)
    } catch (error) {
      if (!(error instanceof LoginLost)) throw error
      const { message, reason, advice = '' } = error
      return { version: 0, lost: { message: `${message} ${advice}`.trim(), reason: `${reason}. ${advice}`.trim() } }
    }
  })
