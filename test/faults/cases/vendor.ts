/** What a vendor does beside failing: records that change while they are read, jobs that come to nothing, clocks. */
import type { KillLane } from '../../e2e/kill-lanes.ts'
import { PAGE } from '../../e2e/kill-points.ts'
import { pause, until } from '../../e2e/until.ts'
import type { FaultAction } from '../../sandboxes/salesforce/faults.ts'
import type { LaneCase } from '../fault-case.ts'

const object = 'Account'
const about = { group: 'source', lake: 'versitygw' } as const

/** While a request waits for its answer. */
function during(match: string, skip: number, act: (lane: KillLane) => void): (lane: KillLane) => void {
  return (lane) => {
    const { control } = lane.sandbox
    control.fault({ match, skip, do: { stall: true } })
    const watch = async (): Promise<void> => {
      await until('the request came', () => control.pendingFaults() === 0)
      act(lane)
      control.clearFaults()
    }
    void watch().catch(() => {})
  }
}

/** Those that were not read yet come as they are by then, in the next run; those that were read came as they were. */
function changed(lane: KillLane): void {
  const ids = lane.sandbox.control.ids({ object, deleted: false }).filter((_, at) => at % 40 === 0)
  const isOld = ({ Id }: { [name: string]: string | null }): boolean => ids.includes(Id!)
  lane.optional.push(...lane.expected.filter(isOld))
  lane.expected.splice(0, Infinity, ...lane.expected.filter((row) => !isOld(row)))
  lane.sandbox.control.update({ object, ids, values: { Name: 'changed while it was read' } })
}

const reading: LaneCase[] = [
  ['records are changed', during(PAGE, 4, changed)],
  ['records are changed', during(PAGE, 0, changed)],
  ['records of one stamp are made', during(PAGE, 4, ({ sandbox }) => sandbox.control.insert({ object, count: 300 }))],
].map(([fault, arm], at) => ({
  ...{ ...about, step: at === 1 ? 'the first pages are read' : 'pages are read', fault: fault as string },
  arm: arm as (lane: KillLane) => void,
  again: 1_500,
}))

const clocks: LaneCase[] = [5, -5].map((minutes) => ({
  ...{
    ...about,
    step: 'a run is planned',
    fault: `the clock is ${minutes > 0 ? 'five minutes ahead' : 'five minutes behind'}`,
  },
  arm: ({ sandbox }) => sandbox.control.clock({ offsetMs: minutes * 60_000 }),
}))

const logins: LaneCase[] = [
  {
    ...{ ...about, step: 'a token is asked for', fault: 'invalid_grant' },
    arm: ({ sandbox }) => {
      const body = '{"error":"invalid_grant","error_description":"user hasn\'t approved this consumer"}'
      sandbox.control.fault({ match: '/oauth2/token', times: 0, do: { answer: { status: 400, body } } })
    },
    fails: /ConnectionUnauthorized/,
  },
]

/** A run waits a quarter of an hour for its daily quota; a person who has raised it need not. */
const quota: LaneCase[] = [8, 3].map((maxRequests) => ({
  ...{
    ...about,
    step: maxRequests > 5 ? 'pages are read' : 'a run is planned',
    fault: 'the quota of the day is used up',
  },
  options: { salesforce: { maxRequests } },
  arm: (lane) => {
    const { control } = lane.sandbox
    const { client } = lane.stage
    const raise = async (): Promise<void> => {
      await until('it is refused', () => control.log().some(({ status }) => status === 403))
      await pause(1_000)
      control.behave({ maxRequests: 100_000 })
      const { namespace } = client.options
      const { raw } = await client.workflow.getHandle(lane.laneId).describe()
      for (const { activityId: id } of raw.pendingActivities ?? []) {
        const execution = { workflowId: lane.laneId }
        await client.workflowService.resetActivity({ namespace, execution, identity: 'a person', id: id ?? '' })
      }
    }
    void raise().catch((error: unknown) => process.stderr.write(`quota: ${String(error)}\n`))
  },
}))

const jobs: [step: string, match: string, skip: number][] = [
  ['a job is made', '^POST .*/jobs/query', 0],
  ['a job is asked for', '^GET .*/jobs/query/[^/]+$', 0],
  ['the first result is read', '^GET .*/jobs/query/.*/result', 0],
  ['a result in the middle is read', '^GET .*/results.*locator', 3],
  ['a job is removed', '^DELETE .*/jobs/query', 0],
]
const faults: [fault: string, action: FaultAction][] = [
  ['500', { answer: { status: 500, body: '' } }],
  ['connection reset', { close: 'before' }],
  ['answer lost', { close: 'after' }],
  ['HTML with status 200', { html: 200 }],
  ['token expired', { expireTokens: true }],
  ['429 with Retry-After', { answer: { status: 429, headers: { 'retry-after': '1' }, body: '' } }],
  ['connection cut in the answer', { truncate: 60 }],
]
const options = { source: { options: { api: 'bulk' } } }
const bulk = (step: string, fault: string, arm: (lane: KillLane) => void): LaneCase => {
  return { ...about, step: `Bulk: ${step}`, fault, options, arm, again: 2_400 }
}
const bulkFaults = jobs.flatMap(([step, match, skip]) =>
  faults.map(([fault, action]) =>
    bulk(step, fault, ({ sandbox }) => sandbox.control.fault({ match, skip, do: action })),
  ),
)
const bulkEnds: LaneCase[] = [
  bulk('a job works', 'it fails', ({ sandbox }) => sandbox.control.bulk({ fail: 'InternalServerError: made up' })),
  bulk('a job works', 'it hangs for a while', ({ sandbox }) => {
    sandbox.control.bulk({ hang: true })
    void pause(6_000).then(() => sandbox.control.bulk({ hang: false }))
  }),
  bulk('a job works', 'it vanishes', ({ sandbox: { control } }) => {
    control.bulk({ hang: true })
    const vanish = async (): Promise<void> => {
      await until('there is a job', () => control.queryJobs().length > 0)
      control.forgetQueryJobs()
      control.bulk({ hang: false })
    }
    void vanish().catch(() => {})
  }),
  bulk('results are read', 'it vanishes', (lane) =>
    during('^GET .*/results.*locator', 3, ({ sandbox }) => sandbox.control.forgetQueryJobs())(lane),
  ),
  bulk('a result in the middle is read', 'a record less than its head says', ({ sandbox }) =>
    sandbox.control.fault({ match: '^GET .*/results.*locator', skip: 3, do: { recordsOff: 1 } }),
  ),
  bulk('a result in the middle is read', 'the locator repeats', ({ sandbox }) =>
    sandbox.control.fault({ match: '^GET .*/results.*locator', skip: 3, do: { repeatCursor: true } }),
  ),
]

export const vendor: LaneCase[] = [...reading, ...clocks, ...logins, ...quota, ...bulkFaults, ...bulkEnds]
