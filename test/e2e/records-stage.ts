/** A stage of which files of a directory become accounts of its sandbox. */
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { RunResult } from '../../activities/digests.ts'
import type { TestTemporal } from '../global-setup.ts'
import { openStage, type WorkerProcess } from './stage.ts'
import { until } from './until.ts'

export type Cells = Record<string, string | number | null>

export interface Quarantined {
  by: string
  rule: string
  reason: string
  attempt: number
  record: Cells
}

export const SCHEMA = {
  External_Key__c: 'string',
  Name: 'string',
  Contract_Value__c: 'decimal(18,2)',
  Phone: 'string',
}

export function rowsOf(prefix: string, count: number): Cells[] {
  return Array.from({ length: count }, (_, at) => ({
    External_Key__c: `${prefix}-${at}`,
    Name: `Näme "${at}"`,
    Contract_Value__c: `${at}.25`,
    Phone: at % 3 ? `+${at}` : null,
  }))
}

export type RecordsStage = Awaited<ReturnType<typeof openRecords>>

export async function openRecords(temporal: TestTemporal) {
  const salesforce = { accounts: 20, opportunities: 1, contacts: 1 }
  const stage = await openStage(temporal, { salesforce, lake: 'file', heartbeatSeconds: 5 })
  const { control } = stage.sandbox
  control.ingest({ polls: 0 })
  const connect = (connections: Record<string, object>): void => {
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, object> }
    Object.assign(installation.connections, connections)
    writeFileSync(path, stringify(installation))
  }
  connect({ inbox: { connector: 'file', path: './in', taskQueue: stage.queue } })
  let worker: WorkerProcess = await stage.startWorker()

  return {
    stage,
    control,
    /** Adds connections, and lets a worker that has this environment know of them. */
    connect: async (connections: Record<string, object>, env: Record<string, string>): Promise<void> => {
      connect(connections)
      await worker.kill()
      worker = await stage.startWorker({ env })
    },
    /** A file of CSV with these records. */
    put: (folder: string, rows: Cells[]): void => {
      const path = join(stage.directory, 'in', folder, `${rows.length}-${Math.random()}.csv`)
      mkdirSync(join(path, '..'), { recursive: true })
      const cell = (value: Cells[string]): string => (value === null ? '' : `"${String(value).replaceAll('"', '""')}"`)
      const header = Object.keys(rows[0]!)
      const lines = [header, ...rows.map((row) => header.map((field) => cell(row[field]!)))]
      writeFileSync(path, lines.map((cells) => `${cells.join(',')}\n`).join(''))
      utimesSync(path, 1_700_000_000, 1_700_000_000)
    },
    /** Of the files of a folder of its name. */
    flow: (
      name: string,
      schema: Record<string, string>,
      of: { object?: object; destination?: object; more?: object },
    ) =>
      stage.flow(
        JSON.stringify({
          name,
          source: {
            connection: 'inbox',
            format: 'csv',
            objects: [{ object: `${name}/*.csv`, id: name, into: 'Account', schema, ...of.object }],
          },
          destination: { connection: stage.crm, write: 'upsert', ...of.destination },
          ...of.more,
        }),
      ),
    written: (prefix: string) =>
      [...control.truth('Account')].filter(({ External_Key__c: key }) => key?.startsWith(prefix)),
    quarantined: (name: string, lake = '.lakeward/state/lake'): Quarantined[] => {
      const folder = join(stage.directory, lake, '_lakeward/_quarantine', name)
      if (!existsSync(folder)) return []
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
      const lines = files.flatMap((file) =>
        readFileSync(join(file.parentPath, file.name), 'utf8').trimEnd().split('\n'),
      )
      return lines.map((line) => JSON.parse(line) as Quarantined)
    },
    /** The worker dies while a request waits for its answer, once for each number: so many go through before. */
    killed: async (match: string, skips: number[]): Promise<void> => {
      for (const skip of skips) {
        control.fault({ match, skip, do: { stall: true } })
        await until(`a request ${match} is held`, () => control.pendingFaults() === 0, { withinMs: 300_000 })
        await worker.kill()
        control.clearFaults()
        worker = await stage.startWorker()
      }
    },
    /** As a person types it. */
    replay: async (flow: { name: string }): Promise<RunResult> => {
      const path = join(stage.directory, `${flow.name}.json`)
      writeFileSync(path, JSON.stringify(flow))
      const { stdout, stderr } = await stage.lakeward('replay', path, '--wait', '--json')
      if (stdout === '') throw new Error(stderr)
      return (JSON.parse(stdout) as { result: RunResult }).result
    },
  }
}
