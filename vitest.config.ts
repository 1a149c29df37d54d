import { defineConfig } from 'vitest/config'

const inProcesses = [
  'bench',
  'client',
  'cloud',
  'e2e',
  'eventbridge',
  'foreign',
  'redshift',
  's3',
  'worker',
  'worker-credentials',
]

const each = {
  // Threads and Temporal's native module do not go together: https://github.com/temporalio/sdk-typescript/issues/876
  pool: 'forks',
  // A limit for what hangs, not for a machine that is slow.
  testTimeout: 180_000,
  hookTimeout: 180_000,
} as const

const project = (name: string, folders: string, isolate: boolean) => ({
  test: { ...each, name, isolate, include: [`test/${folders}/**/*.test.ts`] },
})

export default defineConfig({
  test: {
    // End-to-end files mostly wait, for servers, timers and processes: four at once keep two cores busy.
    maxWorkers: 4,
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', './test/closing-line.ts'],
    projects: [
      project('processes', `{${inProcesses.join(',')}}`, true),
      // What is pure shares its modules from file to file.
      project('pure', `!(${inProcesses.join('|')})`, false),
    ],
  },
})
