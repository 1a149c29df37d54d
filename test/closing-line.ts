/**
 * The end of a test run: which connector meets which case of the suites, with its lines of code, what was skipped and
 * why, what failed to load, and one plain line of counts.
 */
import { conformanceTables, type Met } from './conformance-tables.ts'
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node'

export default class ClosingLine implements Reporter {
  #selected = false

  onInit(vitest: Vitest): void {
    this.#selected = vitest.config.testNamePattern !== undefined
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    const skipped: string[] = []
    const met: Met[] = []
    for (const module of modules) {
      let tests = 0
      for (const test of module.children.allTests()) {
        tests++
        const { state } = test.result()
        if (test.parent.type === 'suite') met.push({ suite: test.parent.name, name: test.name, state })
        // A test that never came to a result did not pass.
        if (state === 'pending') counts.failed++
        else counts[state]++
        if (state === 'skipped')
          skipped.push(
            `  ${test.fullName}: ${reasonOf(test) ?? (this.#selected ? 'not among those asked for' : 'no reason given')} (${module.relativeModuleId})`,
          )
      }
      if (tests === 0 || module.errors().length > 0) counts.failed++
    }
    const lines = this.#selected ? [] : conformanceTables(met)
    if (skipped.length > 0) lines.push('skipped:', ...skipped)
    lines.push(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result()
  const note = 'note' in result ? result.note : undefined
  return note ?? /\[skipped: ([^\]]+)\]/.exec(test.fullName)?.[1]
}
