/** Replays: which records of a quarantine go again, as what, and that each is taken once whatever dies. */
import { expect, it } from 'vitest'
import type { Field } from '../../connectors/connector.ts'
import { commitRun } from '../../connectors/lake/commit.ts'
import { noCounts } from '../../connectors/lake/counts.ts'
import { laneKeys } from '../../connectors/lake/keys.ts'
import { openLane } from '../../connectors/lake/open.ts'
import { draftPlan, writePlan } from '../../connectors/lake/plans.ts'
import type { CommitEntry, LakeLane, RunKey } from '../../connectors/lake/protocol.ts'
import { planReplay, readReplay } from '../../connectors/lake/replay.ts'
import { sentRecords } from '../../connectors/lake/sent-records.ts'
import { beginUnit } from '../../connectors/lake/units.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import { jsonText } from '../../connectors/records/jsonl.ts'
import { quarantineLine } from '../../connectors/records/quarantine.ts'
import { LANE } from './lane-workflow.ts'
import { inMemory } from './places.ts'
import { laneAt } from './scenes.ts'

const OUTPUT: Field[] = [
  { name: 'n', type: 'int64', nullable: true },
  { name: 't', type: 'string', nullable: true },
]
const folder = laneKeys(LANE).quarantine
const line = (
  row: string,
  by: 'flow' | 'destination',
  attempt: number,
  more: { rule?: string; deleted?: boolean } = {},
) =>
  quarantineLine(
    { row, field: '', rule: 'cast', reason: 'it says ,"record":{"n":0}}', ...more },
    { flow: 'f', object: 'o', run: 'r', attempt, by },
  )

async function put(at: LakeLane, files: Record<string, string[]>): Promise<void> {
  for (const [name, lines] of Object.entries(files))
    await at.store.create(`${folder}${name}`, Buffer.from(lines.join('')))
}

it('records go by who refused them and how often, with every digit; what may have been written stays', async () => {
  const at = laneAt(inMemory(), LANE)
  await put(at, {
    'a.jsonl': [line('{"n":9007199254740993,"t":"}"}', 'flow', 1), line('{"n":2}', 'flow', 1, { deleted: true })],
    'b.jsonl': [line('{"n":3}', 'flow', 2)],
    'c.jsonl': [line('{"n":4,"t":null}', 'destination', 1)],
    'c-unknown.jsonl': [line('{"n":5,"t":null}', 'destination', 1, { rule: 'unknown' })],
    'd.jsonl': [line('{"n":6,"renamed":null}', 'destination', 1)],
    'e.jsonl': ['{"flow":"f","object":"o","run":"r","field":"","rule":"csv","reason":"x","record":{"line":"7,8,9"}}\n'],
  })
  const { plan, replays } = await planReplay(at, OUTPUT, 'stamp')
  expect(plan).toMatchObject({ counted: 5, bound: null, cursorField: 'stamp' })
  expect(plan.notes).toEqual([
    expect.stringMatching(/^1 records may have been written/),
    expect.stringMatching(/^1 records were sent with other fields/),
  ])
  expect(replays).toEqual(['a', 'e', 'b', 'c'].map((name) => `${folder}${name}.jsonl`))
  const found: Record<string, unknown[]> = {}
  for (const range of plan.ranges) {
    const rows: unknown[] = (found[range.id] = [])
    for await (const page of readReplay(at.store, range, null)) {
      for (const { batch, ops, rejects } of decodePage(page, OUTPUT)) {
        for (let row = 0; row < batch.rows; row++) rows.push([jsonText(OUTPUT)(batch, row), ops?.[row] ?? 0])
        rows.push(...rejects.map(({ row }) => row))
      }
    }
  }
  expect(found).toEqual({
    'flow-1': [['{"n":9007199254740993,"t":"}"}', 0], ['{"n":2,"t":null}', 1], '{"line":"7,8,9"}'],
    'flow-2': [['{"n":3,"t":null}', 0]],
    'destination-1': [['{"n":4,"t":null}', 0]],
  })
})

it('what a done entry took is deleted by whoever comes next, and is never taken again; the watermark stays', async () => {
  const at = laneAt(inMemory(), LANE)
  const files = { 'a.jsonl': [line('{"n":1}', 'flow', 1)] }
  await put(at, files)
  const runOf = (start: number): RunKey => ({
    key: `10000000${start}-w-0`,
    startedMs: start,
    workflowId: 'w',
    firstRunId: 'w',
  })
  const opened = await openLane(at, runOf(1))
  const replay = await planReplay(at, OUTPUT, null)
  const plan = await writePlan(
    at,
    draftPlan(at, runOf(1), opened, {
      kind: { kind: 'replay' },
      prefix: 'data',
      source: { connection: 'c', connector: 'c', identity: 'C', object: 'o' },
      sourceSchema: OUTPUT,
      outputSchema: OUTPUT,
      recipe: null,
      ...replay,
    }),
  )
  const unit = beginUnit(at, plan, { range: 'flow-1', seq: 1, previous: null })
  const end = { cursor: null, end: true, position: '', counts: { ...noCounts(), read: 1, dropped: 1 }, notes: [] }
  const { id } = await unit.finish(end)
  const proof = { planned: 1, now: 1, verdict: '' }
  const { entry } = await commitRun(at, plan, { units: { 'flow-1': id }, state: null, proof })
  expect(entry).toMatchObject({ replays: [`${folder}a.jsonl`], after: { watermark: null, generation: 0 } })
  const left = async () => (await planReplay(at, OUTPUT, null)).replays
  expect(await left()).toEqual([])
  // Whoever committed died before it deleted anything.
  await put(at, files)
  await openLane(at, runOf(2))
  expect(await left()).toEqual([])
})

it('what was refused lies in the order in which it was sent', async () => {
  const at = laneAt(inMemory(), LANE)
  const memory = sentRecords(at, { run: 'a-b-0', n: 3 } as CommitEntry)
  const numbers = Array.from({ length: 12 }, (_, before) => before + 1)
  for (const n of numbers.toReversed()) {
    const rejects = [
      { row: 0, reason: 'X: y' },
      ...(n === 5 ? [{ row: 1, reason: 'Y: z', unknown: true as const }] : []),
    ]
    expect(await memory.isKept(n, rejects)).toBe(false)
    await memory.keep(n, rejects, [`{"n":${n},"t":null}`, '{"n":0,"t":null}'], 2)
    expect(await memory.isKept(n, rejects)).toBe(true)
  }
  const { plan } = await planReplay(at, OUTPUT, null)
  expect(plan).toMatchObject({ counted: 12, ranges: [{ id: 'destination-3' }] })
  const found: string[] = []
  for await (const { body } of readReplay(at.store, plan.ranges[0]!, null))
    found.push(Buffer.from(body as Uint8Array).toString())
  expect(found).toEqual(numbers.map((n) => `{"n":${n},"t":null}\n`))
})
