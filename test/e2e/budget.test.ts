/** What a run costs at the source, and what it does when the calls of the day are used up. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import type { RunResult } from '../../activities/digests.ts'
import { laneSight } from '../../client/waiting.ts'
import { describeWithTemporal } from '../temporal.ts'
import { SAME, sameRows } from './lane-files.ts'
import { failureOf } from './run-failure.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

const PLENTY = 100_000
/** Half of it is ours. */
const FEW = 30

describeWithTemporal('calls', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    const salesforce = { accounts: 2000, opportunities: 50, contacts: 30, pageRows: 100 }
    stage = await openStage(temporal, { salesforce })
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, object> }
    Object.assign(installation.connections[stage.crm]!, { limits: { parallel: 4, dailyCalls: '50%' } })
    writeFileSync(path, stringify(installation))
  })
  afterAll(() => stage.stop())

  const truth = (object: string) => [...stage.sandbox.control.truth(object, { includeDeleted: true })]
  const worker = () => stage.startWorker({ args: ['--task-queue', stage.queue] })

  it('what is used up in mid-run is waited for, by no worker at all, and then goes on where it was', async () => {
    const { control } = stage.sandbox
    const flow = stage.flow(`
name: spent
source: { objects: [{ object: Account, into: accounts }] }
destination: { prefix: spent }
`)
    const first = await worker()
    control.behave({ maxRequests: FEW })
    const run = await stage.start(flow)
    const lane = stage.client.workflow.getHandle(`flow/${flow.name}/Account`)
    const held = await until('the run waits', async () => (await laneSight(lane)).held)
    expect(held).toMatch(
      new RegExp(`1[5-7] of ${FEW} requests per day are used; 50% stay for others.*limits.dailyCalls`),
    )
    const details = await lane.query('__temporal_workflow_metadata').then(JSON.stringify)
    expect(details).toContain('reading waits until some are given back')
    expect(control.behave({}).usedRequests).toBeLessThanOrEqual(FEW / 2 + 2)

    await first.kill()
    control.behave({ maxRequests: PLENTY })
    await worker()
    const { namespace } = stage.client.options
    await stage.client.workflowService.resetActivity({
      namespace,
      execution: { workflowId: lane.workflowId },
      type: 'extractUnit',
    })
    const result = await run.result()
    expect(result).toMatchObject({ read: truth('Account').length, objects: [{ status: 'done' }] })
    expect(result.objects[0]?.proof).toMatch(/^proven/)
    expect(await sameRows(stage, 'spent/accounts', truth('Account'))).toEqual(SAME)
    expect(control.served({ object: 'Account' })).toMatchObject({ again: 0 })
  }, 180_000)

  it('an object that has not changed costs two calls, and a run says what it cost', async () => {
    const { control } = stage.sandbox
    const objects = ['Account', 'Contact', 'Opportunity']
    const flow = stage.flow(`
name: unchanged
source: { objects: [${objects.join(', ')}] }
destination: { prefix: unchanged }
`)
    const counted = async () => {
      control.reset()
      const result = await stage.run(flow)
      const { token: _, ...counts } = control.counts()
      const asked = Object.values(counts).reduce((sum, one) => sum + one, 0)
      expect(result.calls).toBe(asked)
      return { result, counts }
    }
    await counted()
    const { result, counts } = await counted()
    expect(result.objects).toMatchObject(objects.map((object) => ({ object, status: 'nothing', calls: 2 })))
    expect(counts).toEqual({ describe: 3, queryAll: 3 })

    await stage.lakeward('apply', flowFile(stage, flow))
    const { stdout, stderr } = await stage.lakeward('run', flow.name, '--wait')
    expect(stderr + stdout).toMatch(/CALLS[^]*Account +nothing[^\n]* 2\b/)
    const runs = JSON.parse((await stage.lakeward('runs', flow.name, '--json')).stdout) as object[]
    expect(runs[0]).toMatchObject({ outcome: { result: { calls: 6 } } })
  })
})

describeWithTemporal('a pattern', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 300, opportunities: 5, contacts: 20 } })
    await stage.startWorker({ args: ['--task-queue', stage.queue] })
  })
  afterAll(() => stage.stop())

  const truth = (object: string) => [...stage.sandbox.control.truth(object, { includeDeleted: true })]
  const told = (result: RunResult) => result.objects.map(({ object, status }) => `${object} ${status}`)
  const patterned = (objects: string) =>
    stage.flow(`
name: patterns
source: { objects: [${objects}] }
destination: { prefix: patterns }
`)

  it('takes what the source lists, each as a lane of its own, and says what it left out', async () => {
    const flow = patterned(
      '{ object: Account*, transform: [{ drop: [CreatedDate] }] }, { object: Contact, into: people }',
    )
    const result = await stage.run(flow)
    expect(told(result)).toEqual(['Account done', 'AccountHistory done', 'Contact done'])
    expect(result.notes.join()).toMatch(
      /takes 2 objects: Account, AccountHistory; left out: AccountChangeEvent \(Sales/,
    )
    expect(await sameRows(stage, 'patterns/people', truth('Contact'))).toEqual(SAME)
    expect(result.objects[1]?.written).toBe(truth('AccountHistory').length)
    const accounts = truth('Account')
    for (const row of accounts) delete row['CreatedDate']
    expect(await sameRows(stage, 'patterns/Account', accounts)).toEqual(SAME)

    const some = await stage.run({ ...flow, run: { objects: ['AccountHistory'] } })
    expect(told(some)).toEqual(['AccountHistory nothing'])
    const failure = await failureOf(stage.run(patterned("'Acount*'")))
    expect(failure).toMatchObject({ type: 'FlowInvalid', message: expect.stringContaining("did you mean 'Account'") })
  })

  it('goes on without what is no longer there, in mid-run and later', async () => {
    const { control } = stage.sandbox
    const flow = patterned('Account*')
    const body = '[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]'
    control.fault({ match: 'AccountHistory/describe', do: { answer: { status: 404, body } } })
    const first = await stage.run(flow)
    expect(told(first)).toEqual(['Account nothing', 'AccountHistory skipped'])
    expect(first.objects[1]?.notes.join()).toContain('is there no more')

    const list = JSON.stringify({ sobjects: [{ name: 'Account', queryable: true }] })
    control.fault({ match: '/sobjects$', do: { answer: { status: 200, body: list } } })
    const second = await stage.run(flow)
    expect(told(second)).toEqual(['Account nothing'])
    expect(second.notes).toContainEqual(expect.stringMatching(/No longer there.*: AccountHistory\./))
    control.clearFaults()
    expect(told(await stage.run(flow))).toEqual(['Account nothing', 'AccountHistory nothing'])
  })
})

function flowFile(stage: Stage, flow: object): string {
  const path = join(stage.directory, 'unchanged.yaml')
  writeFileSync(path, stringify(flow))
  return path
}
