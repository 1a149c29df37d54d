/** What runs do beside each other, when they are stopped, and with their options: one stage and one worker for all. */
import { afterAll, beforeAll, describe } from 'vitest'
import { describeWithTemporal } from '../temporal.ts'
import { laneCases } from './lane-cases.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { stopCases } from './stop-cases.ts'
import { verifyCases } from './verify-cases.ts'
import { windowCases } from './window-cases.ts'

describeWithTemporal('runs', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    const salesforce = { accounts: 500, contacts: 50, opportunities: 200, pageRows: 100 }
    stage = await openStage(temporal, { salesforce })
    await stage.startWorker({ args: ['--task-queue', stage.queue] })
  })
  afterAll(() => stage.stop())

  describe('beside each other', () => laneCases(() => stage))
  describe('that are stopped', () => stopCases(() => stage, temporal))
  describe('that are looked at after', () => verifyCases(() => stage))
  describe('with windows and whole reads', () => windowCases(() => stage))
})
