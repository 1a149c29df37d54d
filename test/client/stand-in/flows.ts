/** Flow documents for tests of the client: valid, and told apart by their names. */
import type { JsonObject } from '../../../connectors/connector.ts'

let made = 0

/** No two tests, and no two test runs on one server, share a name. */
export function freshName(about: string): string {
  made++
  return `${about}-${process.pid.toString(36)}-${Date.now().toString(36)}-${made}`
}

export function flowOf(name: string, more: JsonObject = {}): JsonObject {
  return {
    version: 1,
    name,
    source: { connection: 'crm', objects: ['Account', 'Opportunity'] },
    destination: { connection: 'lake' },
    ...more,
  }
}
