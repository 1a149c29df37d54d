/**
 * Records how this release behaves: `npm run histories` plays the scenes on a real server, with the real worker
 * processes, and keeps the histories of all workflows in `<version>/`. Done once for each release, before it is
 * published; `replay.test.ts` replays them for ever.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { version } from '../../connectors/version.ts'
import { postgresPrograms } from '../components.ts'
import { openRecords } from '../e2e/records-stage.ts'
import { openStage } from '../e2e/stage.ts'
import { openWarehouse } from '../e2e/warehouse-stage.ts'
import type { TestTemporal } from '../global-setup.ts'
import { describeWithTemporal } from '../temporal.ts'
import type { DevServer } from '../../worker/temporal-server.ts'
import { startDevServer } from '../../worker/temporal-server.ts'
import { eventScene, lakeScenes, loginScene, recordScene, tableScene } from './played-scenes.ts'
import { FOLDER, packed, pathOf } from './stored-histories.ts'

/** Long lanes continue as new; all others end before. */
const EVENTS = 40
const RECORDS = process.env['LAKEWARD_RECORD'] === '1'

describeWithTemporal('histories of this release', (temporal) => {
  const folder = mkdtempSync(join(tmpdir(), 'lakeward-histories-'))
  let server: DevServer
  let place: TestTemporal
  beforeAll(async () => {
    if (!RECORDS) return
    server = await startDevServer({
      cli: temporal.cli,
      logFile: join(folder, 'server.log'),
      uiPort: null,
      searchAttributes: { LakewardFlow: 'Keyword', LakewardConnector: 'Keyword', LakewardDestination: 'Keyword' },
      args: ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${EVENTS}`],
    })
    place = { ...temporal, address: server.address, namespace: server.namespace }
    mkdirSync(join(FOLDER, version()), { recursive: true })
  })
  beforeEach((test) => test.skip(!RECORDS, '`npm run histories` records them'))
  afterAll(async () => {
    await server?.stop(0)
    rmSync(folder, { recursive: true, force: true })
  })

  /** What began on the server while `play` went on. */
  async function record(scene: string, play: () => Promise<void>): Promise<void> {
    const connection = await Connection.connect({ address: place.address })
    const client = new Client({ connection, namespace: place.namespace })
    const known = new Set<string>()
    for await (const { runId } of client.workflow.list()) known.add(runId)
    await play()
    const found = []
    for await (const { workflowId, runId, type } of client.workflow.list()) {
      if (known.has(runId) || !['runFlow', 'syncObject', 'listenFlow', 'refreshConnection'].includes(type)) continue
      found.push({ workflowId, history: await client.workflow.getHandle(workflowId, runId).fetchHistory() })
    }
    await connection.close()
    expect(found.length).toBeGreaterThan(0)
    writeFileSync(pathOf(version(), scene), packed(found))
    process.stdout.write(
      `${scene}: ${found.length} histories, ${readFileSync(pathOf(version(), scene)).length} bytes\n`,
    )
  }

  async function recordAndStop(scene: string, on: { stop(): Promise<void> }, play: () => Promise<void>): Promise<void> {
    try {
      await record(scene, play)
    } finally {
      await on.stop()
    }
  }

  it('of lakes: runs, steps, ends of every kind, schedules, drift, exports', async () => {
    const salesforce = { accounts: 9000, contacts: 60, opportunities: 300, pageRows: 500 }
    const stage = await openStage(place, { salesforce, lake: 'file' })
    try {
      await stage.startWorker()
      for (const [scene, play] of Object.entries(lakeScenes(stage))) await record(scene, play)
    } finally {
      await stage.stop()
    }
  })

  it('of records, of tables, of events, of logins', async () => {
    const records = await openRecords(place)
    await recordAndStop('records', records.stage, () => recordScene(records))
    const house = await openWarehouse(place, await postgresPrograms(), {
      salesforce: { accounts: 120, opportunities: 1 },
    })
    await recordAndStop('table', house, () => tableScene(house))
    for (const [scene, play] of [
      ['events', eventScene],
      ['login', loginScene],
    ] as const) {
      const stage = await openStage(place, {
        salesforce: { accounts: 40, opportunities: 1, rotate: true, refreshToken: 'first-login' },
        lake: 'file',
      })
      await recordAndStop(scene, stage, () => play(stage))
    }
  })
})
