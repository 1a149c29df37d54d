/** run and replay: start a flow, and tell how far it is until it has ended. */
import { InputError } from '../../connectors/errors.ts'
import type { Connected } from '../connect.ts'
import { INTERRUPTED, outcomeCode } from '../failures.ts'
import { readTarget } from '../flow-files.ts'
import type { LakewardClient, RunOptions } from '../lakeward-client.ts'
import type { RunOutcome } from '../run-outcome.ts'
import type { StartedRun } from '../runs.ts'
import { duration } from '../terminal/numbers.ts'
import { noWorker, outcomeLine, outcomeText } from '../terminal/progress.ts'
import { runView } from '../terminal/run-view.ts'
import { webLink } from '../web-link.ts'
import type { Call, Register } from './call.ts'
import { printJson, withJson, withTemporal } from './call.ts'

interface RunFlags {
  wait?: boolean
  json?: boolean
  full?: boolean
  keepOld?: boolean
  again?: boolean
  queue?: boolean
  evenPaused?: boolean
  replay?: boolean
  from?: string
  to?: string
  objects?: string
}

export function addRunCommands(register: Register): void {
  register<RunFlags>({
    usage: 'run <name|flow>',
    about: 'Run a stored flow (its name) or a file, now.',
    examples: [
      'lakeward run salesforce-daily --wait',
      'lakeward run salesforce-daily.yaml --wait --objects Account,Contact',
      'lakeward run salesforce-daily --full',
      'lakeward run salesforce-daily --from 2026-01-01 --to 2026-02-01',
    ],
    options: (command) =>
      withJson(command)
        .option('--wait', 'show how far it is, and wait for its end')
        .option('--objects <ids>', 'only these objects of the flow, with commas between them')
        .option('--full', 'read everything again, as a new generation')
        .option('--keep-old', 'with --full: leave the files of earlier generations')
        .option('--from <time>', 'read a window once more; watermarks stay where they are')
        .option('--to <time>', 'end of the window')
        .option('--again', 'a window that was delivered before may be delivered again')
        .option('--queue', 'wait for a run that holds an object, instead of failing')
        .option('--even-paused', 'run a paused flow'),
    work: run,
  })
  register<RunFlags>({
    usage: 'replay <name|flow>',
    about: 'Send again what lies in quarantine, once, after its cause is mended.',
    examples: ['lakeward replay s3-to-salesforce --wait', 'lakeward replay s3-to-salesforce --objects contacts'],
    options: (command) =>
      withJson(command)
        .option('--wait', 'show how far it is, and wait for its end')
        .option('--objects <ids>', 'only these objects of the flow, with commas between them')
        .option('--queue', 'wait for a run that holds an object, instead of failing')
        .option('--even-paused', 'replay a paused flow'),
    work: (call, flags, target) => run(call, { ...flags, replay: true }, target),
  })
}

async function run(call: Call, flags: RunFlags, target: string): Promise<number> {
  const flow = await readTarget(target)
  return withTemporal(call, async (lakeward, connected) => {
    const started = await start(lakeward, flow, flags)
    if (flags.wait) return follow(call, lakeward, connected, started, flags)
    const link = await webLink(connected, started.workflowId)
    const hasWorker = await lakeward.hasWorker(started.taskQueue)
    if (flags.json) {
      printJson(call, { ...started, ...(link ? { link } : {}), hasWorker })
      return 0
    }
    const { view } = call
    view.say(`started ${started.workflowId}`)
    tellWhere(call, started, link)
    if (!hasWorker) {
      view.say(noWorker(started.taskQueue))
    }
    return 0
  })
}

async function start(lakeward: LakewardClient, target: Parameters<LakewardClient['run']>[0], flags: RunFlags) {
  const { full, keepOld, again, queue, evenPaused, replay, from, to } = flags
  const objects = flags.objects
    ?.split(',')
    .map((id) => id.trim())
    .filter(Boolean)
  const options: RunOptions = { full, keepOld, again, queue, evenPaused, replay, from, to, objects }
  try {
    return await lakeward.run(target, options)
  } catch (error) {
    // Who typed a flag looks for a flag.
    if (!(error instanceof InputError)) throw error
    throw new InputError(
      error.problems.map((problem) => ({ ...problem, where: problem.where.replace(/(^|\s)run\.([a-zA-Z]+)/, asFlag) })),
    )
  }
}

function asFlag(_: string, before: string, name: string): string {
  return `${before}--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function tellWhere({ view, options }: Call, { flow, workflowId }: StartedRun, link: string | null): void {
  const { address, namespace, profile } = options
  const flags = Object.entries({ address, namespace, profile }).flatMap(([name, value]) =>
    value ? [`--${name}`, value] : [],
  )
  const line = (...words: string[]): string => [...words, ...flags].join(' ')
  if (link) view.say(`  see     ${link}`)
  view.say(`  follow  ${line('lakeward runs', flow)}`)
  view.say(`  or      ${line('temporal workflow describe --workflow-id', `'${workflowId}'`)}`)
  view.say(`  stop    ${line('lakeward cancel', flow)}`)
}

async function follow(
  call: Call,
  lakeward: LakewardClient,
  connected: Connected,
  started: StartedRun,
  { json }: RunFlags,
): Promise<number> {
  const { view } = call
  const stop = new AbortController()
  const onInterrupt = (): void => stop.abort()
  process.once('SIGINT', onInterrupt)
  const startedAt = Date.now()
  view.say(`started ${started.workflowId}`)
  const link = await webLink(connected, started.workflowId)
  if (link) view.say(`  ${link}`)
  const show = runView(json ? { ...view, draw: null } : view, startedAt)
  let outcome: RunOutcome | undefined
  try {
    for await (const state of lakeward.follow(started, { everyMs: 1_000, signal: stop.signal })) {
      outcome = state.outcome
      show(state)
    }
  } finally {
    process.removeListener('SIGINT', onInterrupt)
  }
  if (!outcome) {
    view.say('the run goes on without this command')
    tellWhere(call, started, link)
    return INTERRUPTED
  }
  if (json) printJson(call, { ...started, ...outcome })
  else {
    const text = outcomeText(outcome, view.columns)
    if (text) view.out(text)
    const line = outcomeLine(outcome, duration(Date.now() - startedAt))
    view.say(view.color(line, outcome.status === 'done' ? 'green' : 'red'))
  }
  return outcomeCode(outcome)
}
