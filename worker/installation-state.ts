/**
 * Where an installation keeps its state, and under which seal.
 *
 * Laws
 * - A directory of its own, or one that is a lake, serves one machine: its key is made once where there is none.
 * - A store for many machines is sealed by its owner's key service, or under a key that all of them are given: a key
 *   that one machine made would shut out the others.
 */
import { join } from 'node:path'
import type { Connector } from '../connectors/connector.ts'
import { fileStore } from '../connectors/lake/file/file-store.ts'
import { privateFileSystem } from '../connectors/lake/file/file-system.ts'
import type { DataKeys } from '../connectors/lake/data-keys.ts'
import type { ObjectStore } from '../connectors/lake/store.ts'
import { givenKey, stateKey } from './state-key.ts'
import { envelopeSealer, keySealer } from './state-seal.ts'
import { openState } from './state.ts'
import type { StateStore } from './state.ts'

/** Beside the flows' folders: no flow's begins with `_`. */
const PREFIX = '_lakeward/_state/'

/** The default: a directory that holds nothing else. `key`: 32 bytes. */
export function directoryState(directory: string, key: Uint8Array): StateStore {
  return openState(fileStore(directory, { fs: privateFileSystem }), keySealer(key))
}

/** Its lanes, which hold records of the flows until they are delivered: as private as what lies beside them. */
export function stateDirectory(directory: string): ObjectStore {
  return fileStore(join(directory, 'lake'), { fs: privateFileSystem })
}

/** The lake connection that `state:` names. `dataKeys`: of its key service, where it has one. */
export async function lakeState(
  store: ObjectStore,
  { paths = [] }: Pick<Connector, 'paths'>,
  dataKeys?: DataKeys | null,
): Promise<StateStore> {
  if (dataKeys) return openState(store, envelopeSealer(dataKeys), PREFIX)
  const onThisMachine = paths.length > 0
  return openState(store, keySealer(await (onThisMachine ? stateKey() : givenKey(store.name))), PREFIX)
}
