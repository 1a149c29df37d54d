/**
 * Workers that share nothing but a bucket and a key of KMS, and a login that rotates at a vendor that dies and expires
 * at random. One refresh at a time; no token is lost, unless its answer was lost on the way, or its worker died with
 * it; and then that is said, and a new login makes all well.
 *
 * LAKEWARD_ROTATION_SECONDS says how long; LAKEWARD_THOROUGH=1 means ten minutes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { orSkip } from '../components.ts'
import { startTestMoto } from '../s3-servers.ts'
import type { TestS3 } from '../s3-servers.ts'
import { describeWithTemporal } from '../temporal.ts'
import { mortalVendor } from './mortal-vendor.ts'
import type { RefreshDigest, RefreshInput } from '../../activities/digests.ts'
import type { MortalVendor } from './mortal-vendor.ts'
import { failureOf } from './run-failure.ts'
import type { Stage, WorkerProcess } from './stage.ts'
import { openStage } from './stage.ts'

const SECONDS = Number(process.env['LAKEWARD_ROTATION_SECONDS'] ?? (process.env['LAKEWARD_THOROUGH'] ? 600 : 10))
/** In what a vendor says that does not take a refresh token. */
const REFUSED = 'invalid_grant'
const moto = await orSkip(startTestMoto(), 'state shared by S3 and KMS')
afterAll(() => moto?.stop())

const shared = moto ? describeWithTemporal : (name: string): void => it.skip(name)
shared('state in S3 under KMS', (temporal) => {
  const server = moto as TestS3
  let stage: Stage
  let vendor: MortalVendor
  let connection: string
  const places: string[] = []
  const workers: WorkerProcess[] = []
  const figures = { runs: 0, rotations: 0, away: 0, crowded: 0, kills: 0, deaths: 0, expiries: 0, told: 0 }

  const start = async (at: number): Promise<void> => {
    const directory = places[at] as string
    const env = { XDG_CONFIG_HOME: join(directory, 'config') }
    workers[at] = await stage.startWorker({ args: ['--task-queue', stage.queue], directory, env })
  }
  const login = (refreshToken: string): void => {
    stage.sandbox.control.login({ refreshToken })
    for (const place of places) writeFileSync(join(place, 'login.txt'), refreshToken)
  }

  beforeAll(async () => {
    const { accessKeyId, secretAccessKey, region, url } = server
    const kms = new KMSClient({ region, endpoint: url, credentials: { accessKeyId, secretAccessKey } })
    const { KeyMetadata } = await kms.send(new CreateKeyCommand())
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/lake', TargetKeyId: KeyMetadata?.KeyId }))
    kms.destroy()
    const bucket = await server.createBucket()
    stage = await openStage(temporal, { salesforce: { rotate: true, refreshToken: 'login-0', contacts: 30 } })
    Object.assign(stage.env, {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_KMS: url,
    })
    vendor = await mortalVendor(stage.sandbox.url)
    const { connections } = parse(readFileSync(join(stage.directory, 'lakeward.yaml'), 'utf8')) as {
      connections: Record<string, { auth: object }>
    }
    const crm = connections[stage.crm]!
    connection = `person-${stage.id}`
    const person = { ...crm.auth, type: 'refresh_token', refreshToken: { file: 'login.txt' } }
    const bucketLake = { connector: 's3', bucket, endpoint: url, encryption: { mode: 'kms', keyId: 'alias/lake' } }
    const installation = {
      version: 1,
      connections: { [connection]: { ...crm, loginUrl: vendor.url, auth: person }, lake: bucketLake },
      state: 'lake',
    }
    for (const at of [0, 1]) {
      const place = join(stage.directory, `machine-${at}`)
      mkdirSync(place)
      writeFileSync(join(place, 'lakeward.yaml'), stringify(installation))
      places.push(place)
    }
    login('login-0')
    await Promise.all([start(0), start(1)])
  })
  afterAll(async () => {
    await stage?.stop()
    vendor?.stop()
  })

  const flow = (of: string) =>
    stage.flow(`
name: ${of}
source: { connection: ${connection}, read: full, settle: 0s, objects: [Group, Contact] }
destination: { format: jsonl, prefix: ${of}, write: replace }
`)

  it(
    `rotates for ${SECONDS} s: one refresh at a time, and every loss is one that is said`,
    async () => {
      const { control } = stage.sandbox
      const until = performance.now() + SECONDS * 1000
      const over = (): boolean => performance.now() > until
      const chance = (of: number): boolean => Math.random() < of
      const others: string[] = []
      const unsaid: string[] = []
      const seen = { refused: false }
      const failing = async (of: string): Promise<string> => {
        const problem = await stage.run(flow(of)).then(
          () => null,
          (error: unknown) => failureOf(Promise.reject(error)),
        )
        figures.runs++
        const message = problem?.message ?? ''
        if (message.includes(REFUSED)) return message
        // A step whose new token ended with the next rotation, before it was used: no login is lost.
        if (/A new token was refused as well/.test(message)) figures.crowded++
        else if (message) others.push(message)
        return ''
      }

      const runs = async (of: string): Promise<void> => {
        while (!over()) {
          if ((await failing(of)) !== '') seen.refused = true
          while (seen.refused && !over()) await sleep(100)
        }
      }
      /** What steps do whose token has expired, faster than any run. */
      const rotations = async (): Promise<void> => {
        for (let staleVersion = 0; !over(); await sleep(Math.random() * 1000)) {
          if (seen.refused) continue
          try {
            const { version } = await stage.client.workflow.execute<(of: RefreshInput) => Promise<RefreshDigest>>(
              'refreshConnection',
              {
                workflowId: `connection/${connection}/refresh`,
                workflowIdConflictPolicy: 'USE_EXISTING',
                taskQueue: stage.queue,
                args: [{ connection, staleVersion }],
              },
            )
            figures.rotations++
            expect(version).toBeGreaterThanOrEqual(staleVersion)
            staleVersion = version
          } catch (error) {
            const { message } = await failureOf(Promise.reject(error))
            if (message.includes(REFUSED)) seen.refused = true
            else figures.away++
          }
        }
      }
      const chaos = async (): Promise<void> => {
        vendor.loseNext = true
        while (!over()) {
          await sleep(200 + Math.random() * 1500)
          vendor.slowMs = chance(0.3) ? 300 : 20
          if (chance(0.7)) {
            control.expireTokens()
            figures.expiries++
          }
          if (chance(0.25)) {
            vendor.deadUntil = performance.now() + Math.random() * 1500
            figures.deaths++
          }
          if (chance(0.04)) vendor.loseNext = true
          if (SECONDS > 60 && chance(0.03)) {
            const at = chance(0.5) ? 0 : 1
            figures.kills++
            await workers[at]?.kill('SIGKILL')
            await start(at)
          }
        }
      }
      // Whoever reads that the login is lost logs in again.
      const person = async (): Promise<void> => {
        for (let logins = 1; !over(); seen.refused = false) {
          while (!seen.refused && !over()) await sleep(50)
          const message = await failing('probe')
          if (message === '') continue
          const how = `connections.${connection}.auth.refreshToken`
          if (!message.includes('answer to an earlier refresh was lost') || !message.includes(how)) unsaid.push(message)
          figures.told++
          login(`login-${logins++}`)
        }
      }
      await Promise.all([runs('one'), runs('two'), rotations(), chaos(), person()])
      vendor.deadUntil = 0
      vendor.loseNext = false
      login('login-last')
      expect(await stage.run(flow('last'))).toMatchObject({ objects: [{ status: 'done' }, { status: 'done' }] })
      const { asked, granted, most, lost } = vendor
      process.stderr.write(
        `rotation: ${JSON.stringify({ seconds: SECONDS, ...figures, asked, granted, most, lost })}\n`,
      )
      expect(others).toEqual([])
      expect(unsaid).toEqual([])
      expect(most).toBe(1)
      expect(granted).toBeGreaterThan(SECONDS / 20)
      expect(figures.told).toBeGreaterThan(0)
      // A worker that is killed may take one answer with it.
      expect(figures.told).toBeLessThanOrEqual(lost + figures.kills)
    },
    (SECONDS + 180) * 1000,
  )
})
