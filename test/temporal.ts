/** The test run's Temporal server (`global-setup.ts`), for tests that need one. */
import { describe, inject } from 'vitest'
import type { TestTemporal } from './global-setup.ts'

const server: TestTemporal | null = inject('temporal')

/** `describe` for tests that need a server; without one they are skipped, and the end of the run says why. */
export function describeWithTemporal(name: string, tests: (temporal: TestTemporal) => void): void {
  if (server) describe(name, () => tests(server))
  else describe.skip(`${name} [skipped: there is no Temporal server here]`, () => tests(NOWHERE))
}

const NOWHERE: TestTemporal = { address: '127.0.0.1:1', namespace: 'none', uiUrl: '', cli: '', folder: '' }
