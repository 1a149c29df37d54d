/** `lakeward/testing`: suites that a connector passes before it is trusted. */
export { sourceCases, sourceConformance } from './source.ts'
export type { Runner, SourceCase, SourceConformance } from './source.ts'
export { storeCases, storeConformance } from './store.ts'
export type { StoreCase, StoreConformance, StoreHarness } from './store.ts'
export type { SourceHarness, Trouble, TrueRecord } from './harness.ts'
