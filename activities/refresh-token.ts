/** The vendor call of `refreshConnection`; runs as a local activity, and its answer is a version. */
import { currentNamespace } from './namespace.ts'
import type { Deps } from './deps.ts'
import type { RefreshDigest, RefreshInput } from './digests.ts'
import { step } from './step.ts'

export const refreshToken = (deps: Deps) =>
  step(async (input: RefreshInput): Promise<RefreshDigest> => {
    const { id } = await currentNamespace()
    return deps.refresh(input, id)
  })
