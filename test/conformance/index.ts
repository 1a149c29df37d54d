/** `lakeward/testing`: suites that a connector passes before it is trusted. */
export { sourceCases, sourceConformance } from './source.ts'
export type { Runner, SourceCase, SourceConformance } from './source.ts'
export type { SourceHarness, Trouble, TrueRecord } from './harness.ts'
