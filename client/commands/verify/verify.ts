/** verify: the ledgers of a flow's objects beside what lies in the lake, and beside what the source counts. */
import { InputError } from '../../../connectors/errors.ts'
import type { Finding, Verified } from '../../../connectors/lake/verify.ts'
import { meant } from '../../../connectors/nearest.ts'
import { printable } from '../../../connectors/printable.ts'
import { flowName } from '../../flow-document.ts'
import { FAILED } from '../../failures.ts'
import { busyLanes } from '../../runs.ts'
import { bytes, count, counted } from '../../terminal/numbers.ts'
import { table } from '../../terminal/table.ts'
import type { Call, Register } from '../call.ts'
import { printJson, withJson } from '../call.ts'
import { type LocalFlow, withFlow } from '../lane.ts'
import type { SourceCount } from './count-source.ts'
import { type KnownLane, lanesOf } from './lanes.ts'

interface VerifyFlags {
  json?: boolean
  count?: boolean
}

interface VerifiedLane extends Verified {
  object: string
  /** What readers see was not looked at, and why; null: it was. */
  unseen: string | null
  source?: SourceCount
}

/** Of one kind at one object; the rest is counted. */
const MOST_SHOWN = 20

export function addVerifyCommand(register: Register): void {
  register<VerifyFlags>({
    usage: 'verify <name|flow> [object]',
    about: 'Compare what the ledger says with the files in the lake, and the rows with the source. Changes nothing.',
    examples: [
      'lakeward verify salesforce-daily',
      'lakeward verify salesforce-daily Account --count',
      "lakeward verify salesforce-daily --json | jq '.objects[].findings[] | select(.fault)'",
    ],
    options: (command) => withJson(command).option('--count', 'ask the source how many records it counts now'),
    work: verify,
  })
}

async function verify(call: Call, flags: VerifyFlags, target: string, object?: string): Promise<number> {
  return withFlow(call, target, async (local) => {
    const lanes = await lanesOf(local)
    const wanted = object === undefined ? lanes : lanes.filter(({ id }) => id === object)
    if (object !== undefined && wanted.length === 0) throw noSuch(local, object, lanes)
    const found: VerifiedLane[] = []
    for (const lane of wanted) found.push(await verified(call, local, lane, flags))
    const faults = found.flatMap(({ findings, source }) => [
      ...findings.filter(({ fault }) => fault),
      ...(source?.fault ? [source] : []),
    ]).length
    if (flags.json) printJson(call, { flow: flowName(local.document), faults, objects: found })
    else show(call, local, found, faults)
    return faults === 0 ? 0 : FAILED
  })
}

async function verified(call: Call, local: LocalFlow, lane: KnownLane, flags: VerifyFlags): Promise<VerifiedLane> {
  const { verifyLane } = await import('../../../connectors/lake/verify.ts')
  const at = local.laneOf(lane.id)
  const [held] = await busyLanes(local.lakeward.temporal, local.document, [lane.id])
  const { kind, folder } = lane.place
  const result = await verifyLane(at, { folder, isLake: kind === 'lake', isBusy: held !== undefined })
  const { countSource } = await import('./count-source.ts')
  const source = flags.count ? { source: await countSource(call, local, lane) } : {}
  return { object: lane.id, ...result, unseen: unseen[kind], ...source }
}

const unseen: Record<KnownLane['place']['kind'], string | null> = {
  lake: null,
  table:
    'What the table holds is not looked at: entries are loaded in transactions that the ledger in the warehouse guards, and others may change it since.',
  records:
    'What the destination holds is not looked at: the receipts tell what it answered when records were sent, and others may change them since.',
}

function noSuch({ document }: LocalFlow, object: string, lanes: KnownLane[]): InputError {
  const known = lanes.map(({ id }) => id)
  const what = `flow ${flowName(document)} has no object ${object}${meant(object, known)}`
  const advice = `It has: ${known.join(', ') || 'none with a ledger'}.`
  return new InputError([{ where: `flow ${flowName(document)}`, what, advice }])
}

const COLUMNS = [
  { title: 'OBJECT' },
  ...['ENTRIES', 'FILES', 'ROWS', 'SIZE', 'FAULTS'].map((title) => ({ title, align: 'right' as const })),
]

function show({ view }: Call, { document, store }: LocalFlow, lanes: VerifiedLane[], faults: number): void {
  const rows = lanes.map(({ object, entries, files, rows: all, bytes: size, findings }) => [
    object,
    ...[entries, files, all].map(count),
    bytes(size),
    count(findings.filter(({ fault }) => fault).length),
  ])
  view.out(table(COLUMNS, rows, view.columns))
  for (const { object, findings, delivered, unseen: why, source } of lanes) {
    for (const line of told(findings)) view.out(`${object}: ${line}`)
    if (delivered) {
      const { inserted, updated, deleted, rejected } = delivered
      const sums = `${count(inserted)} inserted, ${count(updated)} updated, ${count(deleted)} deleted, ${count(rejected)} refused`
      view.out(`${object}: delivered by its receipts: ${sums}`)
    }
    if (source) view.out(`${object}: ${source.what}`)
    if (why !== null) view.say(`${object}: ${why}`)
  }
  const name = flowName(document)
  if (faults === 0) view.say(`${store.name} holds what the ledger of ${name} says`)
  else view.say(`${counted(faults, 'fault')} in ${store.name}; \`lakeward repair ${name} OBJECT\` mends ledgers`)
}

/** Faults first, and no more of a kind than somebody reads. */
function told(findings: Finding[]): string[] {
  const sorted = findings.toSorted((a, b) => Number(b.fault) - Number(a.fault))
  const seen = new Map<string, number>()
  const lines = sorted.flatMap(({ kind, fault, where, what }) => {
    const name = `${kind}${fault ? ' (fault)' : ''}`
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    return times > MOST_SHOWN ? [] : [printable(`${name}: ${where}: ${what}`)]
  })
  const left = [...seen].filter(([, times]) => times > MOST_SHOWN)
  return [...lines, ...left.map(([name, times]) => `${name}: ${count(times - MOST_SHOWN)} more; --json prints all`)]
}
