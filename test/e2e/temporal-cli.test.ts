/**
 * Flows with nothing but Temporal's own command: started, scheduled, triggered, found and read. What it prints is what
 * the Web UI shows.
 */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { RunResult } from '../../activities/digests.ts'
import { recorded } from '../client/stand-in/recorder.ts'
import { describeWithTemporal } from '../temporal.ts'
import { dataFiles } from './lane-files.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

const SECOND_PAGE = '^GET /services/data/[^/]+/query(All)?/0r8'

interface Ended {
  code: number
  stdout: string
  stderr: string
}

interface ScheduleShown {
  schedule: {
    action: { startWorkflow: { workflowType: { name: string }; taskQueue: { name: string }; input: Payloads } }
    spec: { interval?: { interval: string }[]; structuredCalendar?: unknown[] }
    policies: { overlapPolicy: string }
  }
  info: { recentActions?: { startWorkflowResult: { workflowId: string } }[]; futureActionTimes?: string[] }
}

interface Payloads {
  payloads: { metadata: { encoding: string }; data: string }[]
}

describeWithTemporal("Temporal's own command", (temporal) => {
  let stage: Stage
  let flow: { name: string }
  let rendered: string
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 300, opportunities: 80, pageRows: 100 }, lake: 'file' })
    await stage.startWorker({ args: ['--task-queue', stage.queue] })
    flow = stage.flow(`
name: native
source: { settle: 0s, objects: [{ object: Account, into: accounts }, { object: Opportunity, into: deals }] }
destination: { prefix: native }
`)
    writeFileSync(join(stage.directory, 'native.yaml'), stringify(flow))
    const { stdout } = await stage.lakeward('render', 'native.yaml')
    rendered = 'native.json'
    writeFileSync(join(stage.directory, rendered), stdout)
  })
  afterAll(() => stage.stop())

  function cli(...args: string[]): Promise<Ended> {
    return new Promise((resolve) => {
      execFile(temporal.cli, args, { cwd: stage.directory, env: stage.env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })
  }
  async function json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await cli(...args, '--output', 'json')
    expect([code, stderr]).toEqual([0, ''])
    return JSON.parse(stdout) as T
  }
  const detailsOf = async (workflowId: string): Promise<string> => {
    const { queryResult } = await json<{ queryResult: { currentDetails: string }[] }>(
      ...['workflow', 'metadata', '--workflow-id', workflowId],
    )
    return queryResult[0]?.currentDetails ?? ''
  }
  const resultOf = async (workflowId: string): Promise<RunResult> =>
    (await json<{ result: RunResult }>('workflow', 'result', '--workflow-id', workflowId)).result
  const start = (workflowId: string, ...input: string[]): Promise<Ended> =>
    cli('workflow', 'start', '--type', 'runFlow', '--task-queue', stage.queue, '--workflow-id', workflowId, ...input)
  const describeSchedule = (id: string): Promise<ScheduleShown> =>
    json<ScheduleShown>('schedule', 'describe', '--schedule-id', id)
  /** Triggers a schedule and waits for the run that it starts. */
  async function triggered(id: string): Promise<RunResult> {
    const before = (await describeSchedule(id)).info.recentActions?.length ?? 0
    expect((await cli('schedule', 'trigger', '--schedule-id', id)).code).toBe(0)
    const run = await until(`a run of schedule ${id}`, async () => {
      const { recentActions = [] } = (await describeSchedule(id)).info
      return recentActions[before]?.startWorkflowResult.workflowId
    })
    return resultOf(run)
  }

  it('starts a rendered flow, and its details are useful while it runs and true after its end', async () => {
    const { control } = stage.sandbox
    control.fault({ match: SECOND_PAGE, do: { stall: true } })
    const started = await start(`any-${stage.id}`, '--input-file', rendered)
    expect(started.code).toBe(0)
    await until('the accounts are in their second page', () => control.pendingFaults() === 0)
    const lane = `flow/${flow.name}/Account`
    const during = await detailsOf(lane)
    expect(during).toMatch(/^\*\*`Account` reading\*\*\n\n- Window: the beginning to \d{4}-\d\d-\d\dT[\d:.]+Z\n/)
    expect(during).toMatch(/^- 0 of 300 read/m)
    expect(await detailsOf(`any-${stage.id}`)).toMatch(/^- `Account` \w+: /m)
    control.clearFaults()

    const result = await resultOf(`any-${stage.id}`)
    expect(result).toMatchObject({ flow: flow.name, read: 380, written: 380 })
    const whole = await detailsOf(`any-${stage.id}`)
    expect(whole).toMatch(
      new RegExp(
        [
          `^\\*\\*Flow \`${flow.name}\`\\*\\*\n`,
          '- `Account` done: 300 read, 300 written, [\\d.]+ kB in \\d+ files?, \\d+ calls',
          '- `Opportunity` done: 80 read, 80 written, [\\d.]+ kB in 1 file, \\d+ calls$',
        ].join('\n'),
      ),
    )
    const lines = (await detailsOf(lane)).split('\n')
    expect(lines).toEqual([
      '**`Account` done**',
      '',
      expect.stringMatching(/^- Window: the beginning to \d{4}-\d\d-\d\dT/),
      '- Schema: version 1',
      expect.stringMatching(/^- 300 of 300 read, 300 written, [\d.]+ kB in 1 file, \d+ calls$/),
      expect.stringMatching(/^- Count proof: proven: 300 now ≤ 300 read ≤ 300 when planned$/),
    ])
    expect(dataFiles(stage, 'native').length).toBe(result.files)
  })

  it('shows every step by a summary of plain text', async () => {
    const { events } = await json<{
      events: { activityTaskScheduledEventAttributes?: object; userMetadata?: { summary?: Payloads['payloads'][0] } }[]
    }>('workflow', 'show', '--workflow-id', `flow/${flow.name}/Account`)
    const steps = events.filter((event) => event.activityTaskScheduledEventAttributes)
    const summaries = steps.map(({ userMetadata }) => textOf(userMetadata?.summary))
    expect(summaries).toEqual([
      "Account: open the lane's ledger",
      'Account: describe and plan',
      'Account unit 1',
      'Account: commit 300 rows',
    ])
    const { stdout } = await cli('workflow', 'describe', '--workflow-id', `flow/${flow.name}/Account`)
    expect(stdout).toMatch(new RegExp(`StaticSummary +"${flow.name}: Account"`))
  })

  it('finds the run and its lanes by the search attributes', async () => {
    const listed = async (query: string) =>
      (await json<{ execution: { workflowId: string } }[]>('workflow', 'list', '--query', query)).map(
        ({ execution }) => execution.workflowId,
      )
    const found = await until('the index has them', async () => {
      const ids = await listed(`LakewardFlow="${flow.name}"`)
      return ids.length === 3 ? ids : null
    })
    const lanes = [`flow/${flow.name}/Account`, `flow/${flow.name}/Opportunity`]
    expect(found.toSorted()).toEqual([`any-${stage.id}`, ...lanes])
    const named = `LakewardConnector="salesforce" AND LakewardDestination="file" AND WorkflowId="any-${stage.id}"`
    expect(await listed(named)).toEqual([`any-${stage.id}`])
  })

  it('schedules the same document, triggers it and describes it', async () => {
    const id = `own-${stage.id}`
    const { ids } = stage.sandbox.control.insert({ object: 'Account', count: 7 })
    const what = ['--type', 'runFlow', '--task-queue', stage.queue, '--workflow-id', id, '--input-file', rendered]
    expect((await cli('schedule', 'create', '--schedule-id', id, '--interval', '1h', ...what)).code).toBe(0)
    await settled()
    const result = await triggered(id)
    expect(result).toMatchObject({ read: ids.length, objects: [{ status: 'done' }, { status: 'nothing' }] })
    const { schedule, info } = await describeSchedule(id)
    expect(schedule.action.startWorkflow).toMatchObject({ workflowType: { name: 'runFlow' } })
    expect(info.futureActionTimes?.length).toBeGreaterThan(0)
    expect((await cli('schedule', 'delete', '--schedule-id', id)).code).toBe(0)
  })

  it('sees and triggers a flow that `lakeward apply` has stored', async () => {
    const id = `flow/${flow.name}`
    const there = ['--address', temporal.address]
    expect(await recorded('apply', join(stage.directory, 'native.yaml'), ...there)).toMatchObject({ code: 0 })
    const { schedule, info } = await describeSchedule(id)
    const { startWorkflow } = schedule.action
    expect(startWorkflow).toMatchObject({ workflowType: { name: 'runFlow' }, taskQueue: { name: stage.queue } })
    expect(JSON.parse(textOf(startWorkflow.input.payloads[0], false))).toEqual(flow)
    expect(schedule.policies.overlapPolicy).toBe('SCHEDULE_OVERLAP_POLICY_SKIP')
    expect(info.futureActionTimes).toEqual(['2099-01-01T00:00:00Z'])
    const listed = await until('the list has it', async () => {
      const all = await json<{ scheduleId: string }[]>('schedule', 'list')
      return all.find(({ scheduleId }) => scheduleId === id)
    })
    expect(listed).toMatchObject({ info: { workflowType: { name: 'runFlow' } } })

    stage.sandbox.control.insert({ object: 'Opportunity', count: 3 })
    await settled()
    expect(await triggered(id)).toMatchObject({ read: 3, objects: [{ status: 'nothing' }, { status: 'done' }] })
    const { out } = await recorded('runs', flow.name, ...there)
    expect(out).toMatch(new RegExp(`done .*flow/${flow.name}/`))
    expect(await recorded('delete', flow.name, ...there)).toMatchObject({ code: 0 })
  })

  it.concurrent.each([
    ['nothing', undefined, 'is empty'],
    ['null', 'null', 'is empty'],
    ['text', '"native"', 'is a single value, not a mapping'],
    ['a list', '[]', 'is a list, not a mapping'],
    ['a number', '1', 'is a single value, not a mapping'],
    ['a document without a version', '{"name":"native"}', "version: 'version' is missing"],
  ])('a run that is given %s for a flow fails at once, and says so', async (name, input, what) => {
    const id = `wrong-${name.replaceAll(' ', '-')}-${stage.id}`
    expect((await start(id, ...(input === undefined ? [] : ['--input', input]))).code).toBe(0)
    const { code, stdout } = await cli('workflow', 'result', '--workflow-id', id)
    expect(code).toBe(1)
    expect(stdout).toContain(what)
    expect(stdout).toContain('version: 1')
    expect(await detailsOf(id)).toMatch(/^\*\*The flow cannot run\*\*\n\n- FlowInvalid: /)
  })
})

/** Text of a payload that no codec has hidden. */
function textOf(payload: Payloads['payloads'][0] | undefined, quoted = true): string {
  const text = Buffer.from(payload?.data ?? '', 'base64').toString()
  return quoted ? String(JSON.parse(text)) : text
}

/** Stamps are whole seconds, and a bound leaves out the second it is in. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1100))
}
