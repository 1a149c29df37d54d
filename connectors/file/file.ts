/** A directory as a place for files: the embedded default lake. */
import type { Connector } from '../connector.ts'
import { fileStore } from '../lake/file/file-store.ts'
import { strict, text } from '../strict.ts'

const settings = strict('a file connection', {
  path: text('a directory, relative to lakeward.yaml'),
})

export const file: Connector = {
  name: 'file',
  title: 'A directory on this machine',
  settings,
  paths: ['path'],
  auth: [],
  limits: [],
  errors: [],
  // What a lake is, is written in the lake itself (`_lakeward/lake.json`), so that a directory may be moved.
  identity: ({ settings: { path } }) => Promise.resolve(path as string),
  destination: { lake: ({ settings: { path } }) => fileStore(path as string) },
}
