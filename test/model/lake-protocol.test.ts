/**
 * The commit protocol with every rule in force, in every small world, to the end: no law is broken in any state, and
 * from every state an honest run finishes. The numbers of states are part of the test: a smaller one would mean that
 * the model has lost some of what may happen.
 */
import { describe, expect, it } from 'vitest'
import { explore } from './checker.ts'
import { configurations } from './lake-model-configurations.ts'
import { lakeModel } from './lake-model.ts'

const states: Record<keyof typeof configurations, number> = {
  zombies: 15_982,
  cancel: 16_850,
  expiry: 10_028,
  flight: 19_264,
  units: 4_533,
  foreign: 144_270,
  steps: 35_958,
  cancelledSteps: 8_528,
  generations: 30_036,
  windows: 52_698,
  reset: 123_083,
  resetSteps: 32_799,
  hint: 8_680,
}

describe('the commit protocol keeps its promise', () => {
  for (const [key, configuration] of Object.entries(configurations)) {
    const expected = states[key as keyof typeof configurations]
    it(`${configuration.name}: all ${expected.toLocaleString('en')} states`, () => {
      const findings = explore(lakeModel(configuration))
      expect([findings.violation?.law, ...(findings.violation?.trace ?? [])].join('\n')).toBe('')
      expect(findings.states).toBe(expected)
    })
  }
})
