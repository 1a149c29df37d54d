import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Threads and Temporal's native module do not go together: https://github.com/temporalio/sdk-typescript/issues/876
    pool: 'forks',
    // End-to-end files mostly wait, for servers, timers and processes: four at once keep two cores busy.
    maxWorkers: 4,
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', './test/closing-line.ts'],
    // A limit for what hangs, not for a machine that is slow.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
