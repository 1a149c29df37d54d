/**
 * What the steps need of the worker they run in. The worker assembles it (`worker/plugin.ts`); a step takes it by
 * closure, so that nothing here is global and a test can hand in its own.
 */
import type { KeyObject } from 'node:crypto'
import type { Budget } from '../connectors/budget.ts'
import type { Connector, Session } from '../connectors/connector.ts'
import type { Installation } from '../connectors/installation.ts'
import type { ObjectStore } from '../connectors/lake/store.ts'
import type { RefreshDigest, RefreshInput } from './digests.ts'
import type { UnitThreads } from './unit-threads.ts'

export interface Deps {
  /** The parsed lakeward.yaml; secrets in it are references still. */
  installation(): Promise<Installation>
  connect(connection: string, use: ConnectionUse): Promise<Connected>
  /** The files of a lake connection; `touched`: the keys, or beginnings of keys ending in `/`, that are wanted. */
  lake(connection: string, touched?: string[]): Promise<ObjectStore>
  /** Where lanes lie that write to no lake, and whose destination has no staging of its own. */
  stateLake(): Promise<ObjectStore>
  /** The vendor's token endpoint, once, and the answer persisted. */
  refresh(input: RefreshInput, namespace: string): Promise<RefreshDigest>
  /** A key that the installation names, for keyed hashes. */
  key(name: string): Promise<KeyObject>
  /** Where the records of units are worked on. */
  threads: UnitThreads
  /** Aborted when the worker is asked to stop: a unit ends after its current page. */
  drain: AbortSignal
  /** Silence after which a step goes to another worker. */
  heartbeatSeconds(): Promise<number>
  /** The queues that this worker polls units of, each beside one of these. */
  unitsBeside?: readonly string[]
}

export interface ConnectionUse {
  signal: AbortSignal
  beat: (position: string) => void
  note: (text: string) => void
  /** Asks for a token newer than `staleVersion`, once for everybody who asks. */
  renew: (staleVersion: number) => Promise<void>
  /** A request goes out; whoever uses the connection counts its own. */
  sent: () => void
}

export interface Connected {
  connector: Connector
  session: Session
  /** What may still be asked of it today, by everybody who uses it. */
  budget: Budget
}
