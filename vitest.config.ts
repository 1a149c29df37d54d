import { defineConfig } from 'vitest/config'

const alone = ['bench', 'client', 'cloud', 'e2e', 'foreign', 'histories', 'redshift', 's3', 'worker']

const each = {
  // Threads and Temporal's native module do not go together: https://github.com/temporalio/sdk-typescript/issues/876
  pool: 'forks',
  // A limit for what hangs, not for a machine that is slow.
  testTimeout: 180_000,
  hookTimeout: 180_000,
  setupFiles: 'test/own-environment.ts',
} as const

const project = (name: string, isolate: boolean, include: string[], exclude: string[] = []) => ({
  test: { ...each, name, isolate, include, exclude },
})
const files = alone.map((folder) => `test/${folder}/**/*.test.ts`)

export default defineConfig({
  test: {
    // End-to-end files mostly wait, for servers, timers and processes: four at once keep two cores busy.
    maxWorkers: 4,
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', './test/closing-line.ts'],
    projects: [
      project('alone', true, files),
      // Files share the modules of their process: loading them anew for each file costs more than many a file.
      project('shared', false, ['test/**/*.test.ts'], files),
    ],
  },
})
