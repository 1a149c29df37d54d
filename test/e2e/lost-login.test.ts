/** A rotating login that the vendor no longer takes: one event, flows at rest, and a way back that a person takes. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { LakewardClient } from '../../client/index.ts'
import { describeWithTemporal } from '../temporal.ts'
import { failureOf } from './run-failure.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

describeWithTemporal('a login that is lost', (temporal) => {
  let stage: Stage
  let lakeward: LakewardClient
  const name = (flow: string): string => `${flow}-${stage.id}`
  const tokens = (): number => stage.sandbox.control.counts()['token'] ?? 0
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { rotate: true, refreshToken: 'first-login' } })
    lakeward = new LakewardClient(stage.client)
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, { auth: object }> }
    const crm = installation.connections[stage.crm]!
    const person = { ...crm.auth, type: 'refresh_token', refreshToken: { file: 'login.txt' } }
    installation.connections[`person-${stage.id}`] = { ...crm, auth: person }
    writeFileSync(path, stringify(installation))
    writeFileSync(join(stage.directory, 'login.txt'), 'first-login\n')
    await stage.startWorker({ args: ['--task-queue', stage.queue] })
  })
  afterAll(() => stage.stop())

  const flow = (of: string, connection: string) =>
    stage.flow(`
name: ${of}
trigger: { every: 1d }
source: { connection: ${connection}, settle: 0s, objects: [Group, Contact] }
destination: { format: jsonl, prefix: ${of} }
`)

  it('pauses the flows that use it, once, and says what to do; nobody asks the vendor again', async () => {
    const person = `person-${stage.id}`
    for (const of of ['one', 'two', 'resting']) await lakeward.apply(flow(of, person))
    await lakeward.apply(flow('other', stage.crm))
    await lakeward.pause(name('resting'), 'by hand, for another reason')
    await stage.run(flow('one', person))
    const { control } = stage.sandbox
    control.revokeRefreshTokens()
    control.expireTokens()
    const before = tokens()

    const failure = await failureOf(stage.run(flow('one', person)))
    expect(failure.message).toMatch(/ConnectionUnauthorized: .*log in to person-.* failed: 400 invalid_grant/)
    expect(failure.message).toContain(`put the new refresh token where connections.${person}.auth.refreshToken`)
    expect(failure.message).toMatch(/Paused until then: .*`lakeward unpause NAME`/)
    for (const of of ['one', 'two', 'resting']) expect(failure.message).toContain(name(of))
    expect(failure.message).not.toContain(name('other'))

    for (const of of ['one', 'two']) {
      const { paused, note } = await lakeward.flow(name(of))
      expect(paused).toBe(true)
      expect(note).toMatch(/cannot log in: 400 invalid_grant.*Log in again.*lakeward unpause/)
      expect(note).toContain(`lakeward unpause ${name(of)}`)
    }
    expect(await lakeward.flow(name('resting'))).toMatchObject({ paused: true, note: 'by hand, for another reason' })
    expect((await lakeward.flow(name('other'))).paused).toBe(false)

    for (const of of ['one', 'two']) await failureOf(stage.run(flow(of, person)))
    expect(tokens() - before).toBe(1)
    const typed = await stage.lakeward('run', name('one'))
    expect(typed.stderr).toContain('cannot log in')
  })

  it('goes on after a new login; that flows start again stays a decision', async () => {
    stage.sandbox.control.login({ refreshToken: 'second-login' })
    writeFileSync(join(stage.directory, 'login.txt'), 'second-login\n')
    const run = await lakeward.run(name('one'), { evenPaused: true })
    expect((await lakeward.outcome(run.workflowId)).status).toBe('done')
    expect((await lakeward.flow(name('one'))).paused).toBe(true)
    expect((await stage.lakeward('unpause', name('one'))).code).toBe(0)
    expect((await lakeward.flow(name('one'))).paused).toBe(false)
  })
})
