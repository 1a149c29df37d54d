/**
 * Events in, by signals: senders send again what was not taken, and every fourth event twice.
 *
 * The promise: each event is in the lake once, told by its id, whatever becomes of workers and of Temporal's server.
 */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { LakewardClient } from '../../client/lakeward-client.ts'
import { queryFiles } from '../e2e/compare.ts'
import { openStage } from '../e2e/stage.ts'
import type { Stage, WorkerProcess } from '../e2e/stage.ts'
import { pause, until } from '../e2e/until.ts'
import type { ListenProgress } from '../../workflows/listen-messages.ts'
import type { CaseInfo, CaseResult } from './fault-case.ts'
import type { House } from './house.ts'
import { tally } from './tally.ts'
import type { Wave } from './waves.ts'

interface Place {
  house: House
  stage: Stage
  worker: WorkerProcess
}
type Strike = (place: Place) => Promise<void>

const EVENTS = 240
const STRIKES = 3
const SILENCE_MS = 6_500

const strikes: Record<string, Strike> = {
  'kill -9, three times': async (place) => {
    await place.worker.kill('SIGKILL')
    place.worker = await place.stage.startWorker()
  },
  'SIGTERM, three times': async (place) => {
    const next = place.stage.startWorker()
    place.worker.process.kill('SIGTERM')
    if (place.worker.process.exitCode === null) await once(place.worker.process, 'exit')
    place.worker = await next
  },
  'all workers away, three times': async (place) => {
    await place.worker.kill('SIGKILL')
    await pause(SILENCE_MS)
    place.worker = await place.stage.startWorker()
  },
  'SIGSTOP and SIGCONT, beside another worker': async (place) => {
    const zombie = place.worker
    zombie.process.kill('SIGSTOP')
    place.worker = await place.stage.startWorker()
    await pause(SILENCE_MS)
    zombie.process.kill('SIGCONT')
  },
  'the server of Temporal killed and restarted, three times': async ({ house }) => {
    await house.temporal.kill()
    await pause(1_000)
    await house.temporal.restart()
  },
}

export const eventsInWaves: Wave[] = Object.entries(strikes).map(([fault, strike]) => {
  const about: CaseInfo = {
    name: `events/in: they are sent/${fault}`,
    ...{ group: 'events', step: 'in: they are sent', fault, kind: 'events in' },
  }
  return {
    cases: [about],
    isAlone: fault.startsWith('the server'),
    run: async (house, seed) => [await runEventsIn(house, about, strike, seed)],
  }
})

async function runEventsIn(house: House, about: CaseInfo, strike: Strike, seed: number): Promise<CaseResult> {
  const stage = await openStage(house.temporal, { salesforce: { accounts: 1, opportunities: 1 }, lake: 'file' })
  const began = Date.now()
  const problems: string[] = []
  try {
    const file = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(file, 'utf8')) as { connections: Record<string, unknown> }
    installation.connections['signals'] = { connector: 'webhook', scheme: 'none', taskQueue: stage.queue }
    writeFileSync(file, stringify(installation))
    const place: Place = { house, stage, worker: await stage.startWorker() }
    const flow = stage.flow(`
name: struck
source: { connection: signals, objects: [{ object: lead, into: leads, schema: { n: int64, text: string } }] }
destination: { connection: lake, prefix: struck }
trigger: { event: signal, batch: { every: 1s } }
`)
    const lakeward = new LakewardClient(stage.client)
    await lakeward.apply(flow)
    const listener = stage.client.workflow.getHandle(`flow/${flow.name}/listen`)
    const event = (n: number) => ({ id: `e${n}`, body: { n, text: `Näme ${seed} "${n}"` } })
    const send = async (n: number): Promise<void> => {
      for (;;) {
        const taken = await listener.signal('event', event(n)).then(
          () => true,
          () => false,
        )
        if (taken) return
        await pause(300)
      }
    }
    const sending = (async () => {
      for (let n = 0; n < EVENTS; n++) {
        await send(n)
        if (n % 4 === 0) await send(n)
        await pause(40)
      }
    })()
    let kills = 0
    for (; kills < STRIKES; kills++) {
      await pause(2_000)
      await strike(place)
      house.kills++
    }
    await sending
    const settled = async (): Promise<boolean> => {
      const { objects } = await listener.query<ListenProgress>('progress')
      return objects[0]?.waiting === 0 && objects[0].read >= EVENTS
    }
    let stuck = 0
    await until('all are committed', () => settled().catch(() => false), { withinMs: 120_000, everyMs: 500 }).catch(
      () => {
        stuck = 1
        problems.push('what was taken is not committed')
      },
    )
    await lakeward.delete(flow.name, { cancel: true })
    const found = await queryFiles(join(stage.lake, 'struck/leads'), 'SELECT n, text FROM files')
    const expected = Array.from({ length: EVENTS }, (_, n) => event(n).body)
    const counts = tally(expected, found, 'n')
    for (const [what, count] of Object.entries(counts)) if (count > 0) problems.push(`${count} events ${what}`)
    return {
      ...about,
      ...{ seed, ok: problems.length === 0, status: 'done', kills, ...counts, stuck, orphans: 0, staged: 0 },
      ...{ again: 0, ms: Date.now() - began, problems },
    }
  } finally {
    await stage.stop()
  }
}
