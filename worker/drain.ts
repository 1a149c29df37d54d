/**
 * SIGTERM and SIGINT as the steps see them: the unit in hand ends after its current page, so nothing is read twice. The
 * SDK's own handlers run beside this one and stop the polling.
 */
const controller = new AbortController()
let watching = false

export function drainSignal(): AbortSignal {
  if (!watching) {
    watching = true
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.once(signal, () => controller.abort())
  }
  return controller.signal
}
