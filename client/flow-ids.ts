/** Ids in Temporal, for ever: schedules and runs of installations that exist go by them. */

export const RUN_FLOW = 'runFlow'
export const LISTEN_FLOW = 'listenFlow'

export function scheduleId(flow: string): string {
  return `flow/${flow}`
}

/** Base of the ids of scheduled runs; the server appends `-<nominal time>`. */
export function runIdBase(flow: string): string {
  return `flow/${flow}/run`
}

/** Milliseconds keep it apart from scheduled runs, whose times have none. */
export function runId(flow: string, at: Date): string {
  return `${runIdBase(flow)}-${at.toISOString()}`
}

export function laneId(flow: string, object: string): string {
  return `flow/${flow}/${encodeURIComponent(object)}`
}

/** Of the workflow that takes a flow's events. No object may have the id `listen`. */
export function listenerId(flow: string): string {
  return `flow/${flow}/listen`
}

/** The flow of a schedule's or run's id; null: not one of ours. */
export function flowOf(id: string): string | null {
  return /^flow\/([a-z0-9][a-z0-9_.-]{0,63})(?:\/.*)?$/.exec(id)?.[1] ?? null
}
