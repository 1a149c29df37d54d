/** What all waves share: a Temporal server that can be killed, toxiproxy, and the package as it is published. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMortalTemporal } from './mortal-temporal.ts'
import type { MortalTemporal } from './mortal-temporal.ts'
import { startToxiproxy } from './toxiproxy.ts'
import type { Toxiproxy } from './toxiproxy.ts'

export interface House {
  temporal: MortalTemporal
  toxiproxy: Toxiproxy
  /** Types of the source's columns, as DuckDB names them: asked for once. */
  types?: Record<string, string>
  /** Processes that were killed, stopped, or told to end. */
  kills: number
  close(): Promise<void>
}

export async function openHouse(): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-faults-'))
  const temporal = await startMortalTemporal(folder)
  const toxiproxy = await startToxiproxy(folder)
  return {
    temporal,
    toxiproxy,
    kills: 0,
    async close() {
      await toxiproxy.stop()
      await temporal.kill()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
