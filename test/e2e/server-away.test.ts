/**
 * A server that is away for 90 seconds while schedules are due (LAKEWARD_THOROUGH=1; it takes three minutes): what is
 * still within `catchUp` is begun when it is back, what is not is counted as missed, and no record is lost by either.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { LakewardClient } from '../../client/lakeward-client.ts'
import type { DevServer } from '../../worker/temporal-server.ts'
import { startDevServer } from '../../worker/temporal-server.ts'
import { describeWithTemporal } from '../temporal.ts'
import { SAME, repeated, sameRows } from './lane-files.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { pause, until } from './until.ts'

const AWAY_MS = 90_000
const THOROUGH = process.env['LAKEWARD_THOROUGH'] === '1'

describeWithTemporal('a server that is away', (temporal) => {
  const folder = mkdtempSync(join(tmpdir(), 'lakeward-away-'))
  let server: DevServer
  let stage: Stage
  const start = (port?: number) =>
    startDevServer({
      cli: temporal.cli,
      logFile: join(folder, 'server.log'),
      dbFile: join(folder, 'server.db'),
      uiPort: null,
      ...(port === undefined ? {} : { port }),
      searchAttributes: { LakewardFlow: 'Keyword', LakewardConnector: 'Keyword', LakewardDestination: 'Keyword' },
    })
  beforeAll(async () => {
    if (!THOROUGH) return
    server = await start()
    const { address, namespace } = server
    stage = await openStage({ ...temporal, address, namespace }, { salesforce: { contacts: 50 }, lake: 'file' })
    await stage.startWorker()
  })
  beforeEach((test) => test.skip(!THOROUGH, 'LAKEWARD_THOROUGH=1 runs it'))
  afterAll(async () => {
    await stage?.stop()
    await server?.stop(0)
    rmSync(folder, { recursive: true, force: true })
  })

  it('catches up what is not too late, tells what is, and loses nothing', { timeout: 600_000 }, async () => {
    const lakeward = new LakewardClient(stage.client)
    const { control } = stage.sandbox
    const flow = (name: string, catchUp: string) =>
      stage.flow(`
name: ${name}
source: { settle: 0s, objects: [{ object: Contact, into: contacts }] }
destination: { prefix: ${name} }
trigger: { every: 20s, catchUp: ${catchUp} }
`)
    const [patient, brief] = [flow('patient', '10m'), flow('brief', '20s')]
    for (const one of [patient, brief]) await lakeward.apply(one)
    const info = async ({ name }: { name: string }) =>
      (await stage.client.schedule.getHandle(`flow/${name}`).describe()).info
    await until('both have run', async () => {
      const found = await Promise.all([patient, brief].map(info))
      // One that is on its way would have all that come meanwhile left out, as they overlap it.
      return found.every(({ recentActions, runningActions }) => recentActions.length > 0 && runningActions.length === 0)
    })
    const before = await Promise.all([patient, brief].map(info))

    await server.stop()
    const away = Date.now()
    control.insert({ object: 'Contact', count: 7 })
    await pause(AWAY_MS)
    const returns = Date.now()
    server = await start(Number(server.address.split(':').at(-1)))

    const after = await until('both have caught up', async () => {
      const found = await Promise.all([patient, brief].map((one) => info(one).catch(() => null)))
      return found.every((one, at) => (one?.numActionsTaken ?? 0) > before[at]!.numActionsTaken + 2) ? found : null
    })
    // Begun when it was back, and due long before.
    const late = (at: number): number =>
      after[at]!.recentActions.filter(({ scheduledAt, takenAt }) => {
        const nominal = scheduledAt.getTime()
        return nominal > away && nominal < returns - 25_000 && takenAt.getTime() >= returns
      }).length
    expect(late(0)).toBeGreaterThan(0)
    expect(late(1)).toBe(0)
    expect(after.map((one) => one!.numActionsMissedCatchupWindow > 0)).toEqual([false, true])
    expect((await lakeward.flow(brief.name)).missed).toBeGreaterThan(0)

    const truth = () => [...control.truth('Contact', { includeDeleted: true })]
    for (const { name } of [patient, brief]) {
      await lakeward.pause(name)
      const prefix = `${name.slice(0, name.indexOf('-'))}/contacts`
      await until(`${name} has all`, async () => (await sameRows(stage, prefix, truth())).onlySource.length === 0)
      expect(await sameRows(stage, prefix, truth())).toEqual(SAME)
      expect(await repeated(stage, prefix)).toEqual([])
    }
  })
})
