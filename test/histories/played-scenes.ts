/** What is played for histories to be recorded of it: every way that our workflows can take, once. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parse, stringify } from 'yaml'
import { LakewardClient } from '../../client/lakeward-client.ts'
import type { RecordsStage } from '../e2e/records-stage.ts'
import { SCHEMA, rowsOf } from '../e2e/records-stage.ts'
import { failureOf } from '../e2e/run-failure.ts'
import type { Stage } from '../e2e/stage.ts'
import { pause, until } from '../e2e/until.ts'
import type { WarehouseStage } from '../e2e/warehouse-stage.ts'

type Play = () => Promise<void>

/** By the names of their files. */
export function lakeScenes(stage: Stage): Record<string, Play> {
  const { control } = stage.sandbox
  const lakeward = new LakewardClient(stage.client)
  const flow = (name: string, of: { source?: object; destination?: object; more?: object } = {}) =>
    stage.flow(
      JSON.stringify({
        name,
        source: { settle: '0s', objects: ['Contact'], ...of.source },
        destination: { prefix: name, ...of.destination },
        ...of.more,
      }),
    )
  const held = async (match: string, started: () => Promise<unknown>): Promise<void> => {
    control.fault({ match, do: { stall: true } })
    await started()
    await until('a request is held', () => control.pendingFaults() === 0)
  }
  return {
    lake: async () => {
      const both = flow('both', { source: { objects: ['Contact', 'Opportunity'] } })
      await stage.run(both)
      expect((await stage.run(both)).written).toBe(0)
      control.insert({ object: 'Contact', count: 3 })
      await pause(1_100)
      expect((await stage.run(both)).written).toBeGreaterThan(0)
      await stage.run({ ...both, run: { full: true } })
      await stage.run({ ...both, run: { from: '2020-01-01', to: '2021-01-01', again: true } })
    },
    long: async () => {
      const long = flow('long', { source: { objects: ['Account'] }, destination: { format: 'jsonl', fileSize: '1MB' } })
      expect((await stage.run(long)).written).toBe(9000)
    },
    steps: async () => {
      const steps = flow('steps', {
        source: { objects: ['Account'] },
        destination: { format: 'jsonl', fileSize: '1MB', commitEvery: { rows: 3000 } },
      })
      expect((await stage.run(steps)).objects[0]?.notes.join()).toMatch(/Committed in \d parts/)
    },
    cancelled: async () => {
      const cancelled = flow('cancelled')
      let run: Awaited<ReturnType<Stage['start']>>
      await held('FROM Contact', async () => (run = await stage.start(cancelled)))
      await stage.client.workflow.getHandle(run!.workflowId).cancel()
      await expect(run!.result()).rejects.toThrow()
      control.clearFaults()
      await stage.run(cancelled)
    },
    failed: async () => {
      await failureOf(stage.run(flow('failed', { source: { objects: ['Contact', 'Nothing__c'] } })))
      control.fault({ match: 'FROM Contact', times: 2, do: { answer: { status: 503 } } })
      await stage.run(flow('retried'))
    },
    collision: async () => {
      const one = flow('collision')
      let first: Awaited<ReturnType<Stage['start']>>
      await held('FROM Contact', async () => (first = await stage.start(one)))
      await failureOf(stage.run(one))
      const queued = await stage.start({ ...one, run: { queue: true } })
      await pause(500)
      control.clearFaults()
      await Promise.all([first!.result(), queued.result()])
    },
    drift: async () => {
      const evolving = flow('evolving')
      const failing = flow('failing', { more: { onDrift: 'fail' } })
      await stage.run(evolving)
      await stage.run(failing)
      control.addField({ object: 'Contact', name: 'Level__c', type: 'int', options: {}, fill: true })
      await pause(1_100)
      expect((await stage.run(evolving)).objects[0]?.notes.join()).toContain('Level__c')
      await failureOf(stage.run(failing))
    },
    restarted: async () => {
      const restarted = flow('restarted')
      let run: Awaited<ReturnType<Stage['start']>>
      await held('FROM Contact', async () => (run = await stage.start(restarted)))
      control.removeField({ object: 'Contact', name: 'Level__c' })
      control.clearFaults()
      expect((await run!.result()).objects[0]?.written).toBeGreaterThan(0)
    },
    export: async () => {
      const options = { api: 'bulk' }
      await stage.run(flow('exported', { source: { objects: ['Opportunity'], options } }))
    },
    scheduled: async () => {
      const hourly = flow('hourly', { more: { trigger: { every: '1h' } } })
      await lakeward.apply(hourly)
      const schedule = stage.client.schedule.getHandle(`flow/${hourly.name}`)
      await schedule.trigger()
      const last = async () => (await schedule.describe()).info.recentActions.at(-1)?.action.workflow.workflowId
      const id = await until('it has begun', last)
      await stage.client.workflow.getHandle(id).result()
      await lakeward.delete(hourly.name)
    },
  }
}

export async function recordScene({ stage, control, put, flow }: RecordsStage): Promise<void> {
  for (const api of ['rest', 'bulk']) {
    const rows = rowsOf(api, 60)
    rows[7]!['Name'] = null
    put(api, rows)
    const of = { object: { keys: ['External_Key__c'] }, destination: { options: { api } } }
    await stage.run(flow(api, SCHEMA, of))
  }
  control.clearFaults()
  put('anew', rowsOf('anew', 30))
  await stage.run(flow('anew', SCHEMA, { destination: { write: 'append' } }))
}

export async function tableScene({ stage }: WarehouseStage): Promise<void> {
  await stage.startWorker()
  const { control } = stage.sandbox
  const table = stage.flow(`
name: table
source:
  settle: 0s
  objects: [{ object: Account, into: accounts, keys: [Id], transform: [{ keep: [Id, Name, SystemModstamp] }] }]
destination: { connection: warehouse, write: upsert }
`)
  await stage.run(table)
  control.update({ object: 'Account', ids: control.ids({ object: 'Account', limit: 9, deleted: false }), values: {} })
  await pause(1_100)
  await stage.run(table)
  await stage.run(table)
}

export async function eventScene(stage: Stage): Promise<void> {
  change(stage, ({ connections }) => {
    connections['signals'] = { connector: 'webhook', scheme: 'none', taskQueue: stage.queue }
  })
  await stage.startWorker()
  const flow = stage.flow(`
name: events
source: { connection: signals, objects: [{ object: lead, into: leads, schema: { n: int64 } }] }
destination: { connection: lake, prefix: events }
trigger: { event: signal, batch: { every: 1s } }
`)
  const lakeward = new LakewardClient(stage.client)
  await lakeward.apply(flow)
  const listener = stage.client.workflow.getHandle(`flow/${flow.name}/listen`)
  for (let n = 0; n < 60; n++) await listener.signal('event', { id: `e${n}`, body: { n } })
  await lakeward.pause(flow.name)
  await listener.executeUpdate('send', { args: [{ events: [{ id: 'late', body: { n: 99 } }] }] })
  await lakeward.unpause(flow.name)
  await listener.executeUpdate('flush', { args: [{}] })
  await lakeward.delete(flow.name)
  await listener.result()
}

export async function loginScene(stage: Stage): Promise<void> {
  const { control } = stage.sandbox
  const person = `person-${stage.id}`
  change(stage, ({ connections }) => {
    const crm = connections[stage.crm]!
    const auth = { ...(crm['auth'] as object), type: 'refresh_token', refreshToken: { file: 'login.txt' } }
    connections[person] = { ...crm, auth }
  })
  writeFileSync(join(stage.directory, 'login.txt'), 'first-login\n')
  await stage.startWorker()
  const flow = stage.flow(`
name: login
trigger: { every: 1d }
source: { connection: ${person}, settle: 0s, objects: [Group, Contact] }
destination: { prefix: login }
`)
  await new LakewardClient(stage.client).apply(flow)
  await stage.run(flow)
  control.expireTokens()
  await stage.run(flow)
  control.revokeRefreshTokens()
  control.expireTokens()
  await failureOf(stage.run(flow))
}

type Installation = { connections: Record<string, Record<string, unknown>> }

function change({ directory }: Stage, edit: (installation: Installation) => void): void {
  const path = join(directory, 'lakeward.yaml')
  const installation = parse(readFileSync(path, 'utf8')) as Installation
  edit(installation)
  writeFileSync(path, stringify(installation))
}
