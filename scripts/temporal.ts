/** Finds or makes the Temporal binary before the tests start, where its progress can be seen. */
import { findTemporalCli } from '../worker/temporal-server.ts'

try {
  console.log(`Temporal: ${await findTemporalCli()}`)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  // Without CI the tests go on, and those that need a server are skipped.
  if (process.env.CI) process.exitCode = 1
}
