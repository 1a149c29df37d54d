/** A directory as a place for files, to be read and to be written: the embedded default lake. */
import type { Connector } from '../connector.ts'
import { fileSource } from '../files/file-source.ts'
import { fileStore } from '../lake/file/file-store.ts'
import { strict, text } from '../strict.ts'
import { directoryFiles } from './directory-files.ts'

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
  // A file that is being written is there already: it has to lie still for a minute.
  source: fileSource({ open: ({ settings: { path } }) => directoryFiles(path as string), settleMs: 60_000 }),
  destination: { lake: ({ settings: { path } }) => fileStore(path as string) },
}
