/** How long a completion that went wrong is waited for, where somebody else may still be completing the same upload. */
import { InputError } from '../errors.ts'

const VARIABLE = 'LAKEWARD_SETTLE_SECONDS'
const MOST_SECONDS = 900

/**
 * Milliseconds of LAKEWARD_SETTLE_SECONDS, 1 to 900. Undefined without it: the store's own 15 minutes. A completion of
 * thousands of parts takes minutes: less is for tests, and for stores that have only small files.
 */
export function settleMs(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const text = env[VARIABLE]
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_SECONDS) return seconds * 1000
  const what = `${text === '' ? 'an empty text' : text} is no number of seconds from 1 to ${MOST_SECONDS}`
  throw new InputError([{ what, where: VARIABLE, advice: `Leave it out for ${MOST_SECONDS}.` }])
}
