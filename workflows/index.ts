/** Workflow types, for ever: a run in flight and every schedule know them by these names. */
export { runFlow } from './run-flow.ts'
export { listenFlow } from './listen-flow.ts'
export { syncObject } from './sync-object.ts'
export { refreshConnection } from './refresh-connection.ts'
