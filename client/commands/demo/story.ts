/** What happens in the demo, in order. */
import { readdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readFlow } from '../../flow-files.ts'
import type { LakewardClient } from '../../lakeward-client.ts'
import type { RunOutcome } from '../../run-outcome.ts'
import { count, counted, duration } from '../../terminal/numbers.ts'
import { outcomeLine, outcomeText } from '../../terminal/progress.ts'
import { runView } from '../../terminal/run-view.ts'
import type { Screen } from '../../terminal/screen.ts'
import { table } from '../../terminal/table.ts'
import type { ReadBack } from './read-back.ts'
import { openDuckDb, readBack, saveTruth } from './read-back.ts'
import type { SandboxControl } from './sandbox-control.ts'
import { pagesAgain } from './sandbox-control.ts'
import type { Actor, Org, Stage } from './stage.ts'
import { flowText, installationText } from './written.ts'

export interface Story {
  view: Screen
  lakeward: LakewardClient
  stage: Stage
  org: Org
  control: SandboxControl
  /** All the demo writes is below it; relative to where the command runs. */
  folder: string
  flow: string
  /** Everything goes on running afterwards. */
  keep: boolean
  signal: AbortSignal
}

const OBJECTS = ['Account', 'Opportunity']
/** The flow's prefix. */
const RAW = 'salesforce/raw'
const NEW_FIELD = 'Health_Score__c'

/** The exit code. */
export async function tell(story: Story): Promise<number> {
  const { view, folder, flow, lakeward, control } = story
  const config = join(folder, 'lakeward.yaml')
  const flowFile = join(folder, `${flow}.yaml`)
  await writeFile(config, installationText(story.stage.sandboxUrl, story.stage.lake.connection))
  await writeFile(flowFile, flowText(flow))

  chapter(view, `1. A worker, and the flow ${flow} stored in Temporal`)
  const first = await story.stage.startWorker(config)
  const applied = await lakeward.apply((await readFlow(flowFile)).document)
  view.say(`${applied.name} ${applied.change}; worker pid ${first.pid}`)
  if (story.stage.uiUrl) view.say(`Web UI: ${story.stage.uiUrl}`)

  chapter(view, '2. First run: everything, with a kill -9 of the worker in the middle')
  const runs: RunOutcome[] = []
  const [outcome] = await Promise.all([runOnce(story), killInTheMiddle(story, first, config)])
  runs.push(outcome)
  if (outcome.status !== 'done') return 1
  await tellRepeats(story, outcome)

  chapter(view, '3. Changes at the source')
  await control.reset()
  await change(story)
  // The flow waits a second for late commits: the changes have to be older than that.
  await sleep(2_500, undefined, { signal: story.signal })

  chapter(view, '4. Second run: only what changed')
  const second = await runOnce(story)
  runs.push(second)
  if (second.status !== 'done') return 1

  chapter(view, '5. What is in the files')
  const raw = await story.stage.lake.files(RAW)
  const read = await readFiles(story, raw)
  return end(story, runs, raw, read)
}

function chapter(view: Screen, title: string): void {
  view.say(`\n${view.color(title, 'bold')}`)
}

async function runOnce({ view, lakeward, flow, signal }: Story): Promise<RunOutcome> {
  const startedAt = Date.now()
  const run = await lakeward.run(flow)
  view.say(`started ${run.workflowId}`)
  const show = runView(view, startedAt)
  let outcome: RunOutcome | undefined
  for await (const state of lakeward.follow(run, { everyMs: 500, signal })) {
    show(state)
    outcome = state.outcome
  }
  if (!outcome) throw new Error('stopped')
  view.say(outcomeText(outcome))
  view.say(`${outcomeLine(outcome)}, ${duration(Date.now() - startedAt)}`)
  return outcome
}

async function killInTheMiddle(story: Story, worker: Actor, config: string): Promise<void> {
  const { view, control, org, stage, signal } = story
  let rows = 0
  while (rows < org.accounts * 0.45) {
    await sleep(50, undefined, { signal })
    rows = (await control.served('Account')).rows
  }
  await worker.kill()
  view.say(
    view.color(
      `kill -9 ${worker.pid}: no worker is left, ${count(rows)} of ${count(org.accounts)} Accounts were read`,
      'red',
    ),
  )
  const next = await stage.startWorker(config)
  view.say(`started another worker, pid ${next.pid}`)
}

async function tellRepeats({ view, control }: Story, { result }: RunOutcome): Promise<void> {
  const log = await control.log()
  const parts = await Promise.all(
    OBJECTS.map(async (object) => {
      const { again: rows } = await control.served(object)
      const committed = result?.objects.find((one) => one.object === object)?.pages ?? 0
      const { pages, again } = pagesAgain(log, object, committed)
      return `${object}: ${counted(again, 'page')} of ${count(pages)} read twice (${counted(rows, 'row')})`
    }),
  )
  view.say('The request log of the org: the kill cost what was in flight, nothing else.')
  for (const part of parts) view.say(`  ${part}`)
}

async function change({ view, control, org }: Story): Promise<void> {
  await control.addField('Account', NEW_FIELD, 'double')
  const accounts = await control.ids('Account', 1_000, 150)
  const [updated, deleted] = [accounts.slice(0, 120), accounts.slice(140)]
  await control.update('Account', updated.slice(0, 60), { [NEW_FIELD]: 87.5 })
  await control.update('Account', updated.slice(60), { Name: 'Renamed by the demo' })
  const { ids } = await control.insert(
    'Account',
    Array.from({ length: 30 }, (_, at) => ({ Name: `New account ${at + 1}`, [NEW_FIELD]: at })),
  )
  await control.delete('Account', deleted)
  const won = await control.ids('Opportunity', Math.floor(org.opportunities / 2), 200)
  await control.update('Opportunity', won, { StageName: 'Closed Won' })
  view.say(
    `Account: ${updated.length} updated, ${ids.length} inserted, ${deleted.length} deleted, a new field ${NEW_FIELD}`,
  )
  view.say(`Opportunity: ${won.length} updated`)
}

async function readFiles({ view, folder, stage }: Story, raw: string): Promise<ReadBack[] | null> {
  const duck = await openDuckDb()
  if (!duck) {
    view.say('DuckDB is not installed here (npm install @duckdb/node-api): the files are not read back')
    return null
  }
  const found: ReadBack[] = []
  try {
    for (const object of OBJECTS) {
      const truth = join(folder, `${object}.truth.jsonl`)
      await saveTruth(stage.sandboxUrl, object, truth)
      found.push(await readBack(duck, raw, object, truth))
    }
  } finally {
    duck.closeSync()
  }
  const titles = ['OBJECT', 'ROWS', 'RECORDS', 'DELETES', 'COLUMNS', 'TWICE', 'UNLIKE THE SOURCE']
  const columns = titles.map((title, at) => ({ title, align: at === 0 ? ('left' as const) : ('right' as const) }))
  view.say(`Read by DuckDB${stage.lake.readFrom}, and the newest row of each record compared with the org:`)
  view.say(
    table(
      columns,
      found.map((one) => [
        one.object,
        ...[one.rows, one.ids, one.deletes, one.columns, one.doubled, one.differing].map(count),
      ]),
    ),
  )
  return found
}

async function end(story: Story, runs: RunOutcome[], raw: string, read: ReadBack[] | null): Promise<number> {
  const { view, stage } = story
  const moved = (object: string): number =>
    runs.reduce((sum, { result }) => sum + (result?.objects.find((one) => one.object === object)?.written ?? 0), 0)
  const rows = (object: string): number => read?.find((one) => one.object === object)?.rows ?? moved(object)
  const files = (await readdir(raw, { recursive: true })).filter((name) => name.endsWith('.parquet'))

  view.say('')
  if (stage.uiUrl)
    view.say(`Web UI   ${stage.uiUrl}${story.keep ? '' : ' (gone with the demo; --keep leaves it running)'}`)
  view.say(`Files    ${stage.lake.onDisk}`)
  const glob = `${relative('.', join(raw, 'opportunities'))}/**/*.parquet`
  view.say(`SQL      SELECT StageName, count(*), sum(Amount) FROM '${glob}' GROUP BY ALL`)

  const wrong = [
    ...(read ?? []).flatMap(({ object, doubled, differing }) => [
      ...(doubled > 0 ? [`${counted(doubled, 'row')} of ${object} are there twice`] : []),
      ...(differing > 0 ? [`${counted(differing, 'record')} of ${object} differ from the source`] : []),
    ]),
    ...OBJECTS.filter((object) => rows(object) !== moved(object)).map(
      (object) => `${object}: ${count(moved(object))} rows were written, ${count(rows(object))} are in the files`,
    ),
  ]
  if (wrong.length > 0) {
    for (const line of wrong) view.say(view.color(line, 'red'))
    view.say('demo: failed')
    return 1
  }
  if (story.keep) for (const line of stage.lake.look(`${RAW}/**/*.parquet`)) view.say(line)
  if (story.keep) view.say(`Everything goes on running until Ctrl-C. ${hint(stage)}`)
  const [account, opportunity] = OBJECTS.map(rows)
  view.say(`demo: ok account=${account} opportunity=${opportunity} files=${files.length} lake=${stage.lake.name}`)
  return 0
}

function hint(stage: Stage): string {
  return stage.options.address ? `Look around: \`lakeward list --address ${stage.options.address}\`.` : ''
}
