/** How long a completion that went wrong is waited for, where somebody else may still be completing the same upload. */
import { givenNumber } from '../given-number.ts'

const SETTLE = { name: 'LAKEWARD_SETTLE_SECONDS', of: 'seconds', least: 1, most: 900, otherwise: 900 }

/**
 * Milliseconds of LAKEWARD_SETTLE_SECONDS, 1 to 900. Undefined without it: the store's own 15 minutes. A completion of
 * thousands of parts takes minutes: less is for tests, and for stores that have only small files.
 */
export function settleMs(): number | undefined {
  const seconds = givenNumber(SETTLE)
  return seconds === undefined ? undefined : seconds * 1000
}
