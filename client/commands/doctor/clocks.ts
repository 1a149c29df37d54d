/** Clocks that are compared: a wrong one shifts windows, refuses logins and makes signatures invalid. */
import type { Finding } from '../../../connectors/check.ts'
import { failed, warning } from '../../../connectors/check.ts'
import { duration } from '../../terminal/numbers.ts'

/** HTTP dates have whole seconds, and an answer takes its time. */
const NOTHING_MS = 3_000
/** AWS and OAuth servers refuse what is older: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html */
const REFUSED_MS = 300_000

/** `aheadMs`: how far this machine's clock is ahead of the other. `unsureMs`: how exact that is. */
export function clockFinding(aheadMs: number, unsureMs = 0): Finding {
  const far = Math.max(0, Math.abs(aheadMs) - unsureMs)
  if (far <= NOTHING_MS) return `the same as here${unsureMs > 0 ? `, within ${duration(unsureMs)}` : ''}`
  const found = `this machine's is ${duration(far)} ${aheadMs > 0 ? 'ahead' : 'behind'}`
  const advice = 'Let this machine keep its time by NTP: `timedatectl`, `chronyc tracking`.'
  return far > REFUSED_MS ? failed(found, advice) : warning(found, advice)
}
