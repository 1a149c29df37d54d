/** Finds or makes the programs that tests run on before the tests start, where the progress can be seen. */
import { findTemporalCli } from '../worker/temporal-server.ts'
import { findVersitygw } from '../worker/versitygw-binary.ts'
import { motoPython, postgresPrograms, sqlglotPython } from '../test/components.ts'
import { findToxiproxy } from '../test/faults/toxiproxy.ts'

const components = {
  Temporal: findTemporalCli,
  versitygw: findVersitygw,
  toxiproxy: findToxiproxy,
  moto: motoPython,
  PostgreSQL: postgresPrograms,
  sqlglot: sqlglotPython,
}
for (const [name, find] of Object.entries(components)) {
  try {
    console.log(`${name}: ${await find()}`)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    // Without CI the tests go on, and those that need it are skipped.
    if (process.env.CI) process.exitCode = 1
  }
}
