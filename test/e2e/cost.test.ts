/** What runs cost of Temporal: actions and history events, counted from the histories of a run and its lanes. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { costOf } from '../actions.ts'
import { describeWithTemporal } from '../temporal.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

const ACCOUNTS = 30_000

describeWithTemporal('actions', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(temporal, {
      salesforce: { accounts: ACCOUNTS, opportunities: 1, contacts: 200 },
      heartbeatSeconds: 45,
    })
    await stage.startWorker()
  })
  afterAll(() => stage.stop())

  const flowOf = (object: string) =>
    stage.flow(`
name: cost-${object.toLowerCase()}
source: { settle: 0s, objects: [${object}] }
destination: { prefix: cost }
`)

  async function cost(flow: object) {
    const run = await stage.start(flow)
    const ended = await run.result()
    const found = await costOf(stage.client, run.workflowId)
    const { actions, events, by, ms } = found
    process.stdout.write(
      `${ended.read.toLocaleString('en')} rows: ${actions} actions ${JSON.stringify(by)}, ${events} events, ${Math.round(ms)} ms\n`,
    )
    return { ...found, ended }
  }

  it('an unchanged object costs 7, and no unit is begun for it', async () => {
    const flow = flowOf('Contact')
    const first = await cost(flow)
    expect(first.ended.written).toBe(200)
    expect(first.steps).toEqual(['planFlow', 'openLane', 'describeObject', 'extractUnit', 'commitRun'])
    expect(first.actions).toBeLessThanOrEqual(9)
    const second = await cost(flow)
    expect(second.ended.objects).toMatchObject([{ status: 'nothing', proof: expect.stringMatching(/^proven/) }])
    expect(second.steps).toEqual(['planFlow', 'openLane', 'describeObject'])
    expect(second.actions).toBeLessThanOrEqual(7)
  })

  it('a long one costs by its units', async () => {
    const { ended, actions, steps } = await cost(flowOf('Account'))
    expect(ended.written).toBe(ACCOUNTS)
    const units = steps.filter((name) => name === 'extractUnit').length
    expect(actions).toBeLessThanOrEqual(8 + 2 * units + 10)
  })
})
