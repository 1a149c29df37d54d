/** repair: the way out of a damaged ledger. What is wrong and what may be done is shown before anything is. */
import { InputError } from '../../connectors/errors.ts'
import type { Damage, Examined, Mend } from '../../connectors/lake/examine.ts'
import { laneKeys } from '../../connectors/lake/keys.ts'
import { flowName, objectIds } from '../flow-document.ts'
import { meant } from '../../connectors/nearest.ts'
import { busy, busyLanes } from '../runs.ts'
import { agreed } from '../terminal/agreed.ts'
import { counted } from '../terminal/numbers.ts'
import { printable } from '../../connectors/printable.ts'
import type { Call, Register } from './call.ts'
import { printJson, withJson } from './call.ts'
import type { LocalLane } from './lane.ts'
import { withLane } from './lane.ts'
import { whole } from './whole.ts'

interface RepairFlags {
  json?: boolean
  yes?: boolean
  void?: string
}

export function addRepairCommand(register: Register): void {
  register<RepairFlags>({
    usage: 'repair <name|flow> <object>',
    about: "Find what is damaged in an object's ledger, and mend it after a yes. No data of a done entry is deleted.",
    examples: [
      'lakeward repair salesforce-daily Account',
      'lakeward repair salesforce-daily Account --yes --json',
      'lakeward repair salesforce-daily Account --void 17',
    ],
    options: (command) =>
      withJson(command)
        .option('--void <n>', 'give up entry n, which has no outcome and cannot get done')
        .option('--yes', 'mend without asking'),
    work: repair,
  })
}

async function repair(call: Call, flags: RepairFlags, ...[target, object]: [string, string]): Promise<number> {
  const doubted = flags.void === undefined ? [] : [whole('--void', flags.void, 1, 99_999_999)]
  return withLane(call, target, object, async (local) => {
    const { examine } = await import('../../connectors/lake/examine.ts')
    const { at } = local
    const before = await examine(at, doubted)
    await isLane(local, before)
    for (const n of doubted) refuseVoid(local, n, before)
    const mended: string[] = []
    if (before.damages.length > 0) {
      if (!flags.json) show(call, local, before.damages)
      mended.push(...(await mendAll(call, local, before.damages, flags)))
    }
    const { damages } = mended.length > 0 ? await examine(at) : before
    if (flags.json) printJson(call, { damages: before.damages, mended, left: damages })
    else if (damages.length === 0)
      call.view.say(`the ledger of ${object} is whole: ${counted(before.found.length, 'entry', 'entries')}`)
    else call.view.say(`${counted(damages.length, 'damage')} left in the ledger of ${object}`)
    return damages.length === 0 ? 0 : 1
  })
}

async function mendAll(call: Call, local: LocalLane, damages: Damage[], flags: RepairFlags): Promise<string[]> {
  const mends = damages.filter((damage): damage is Damage & { mend: Mend } => damage.mend !== null)
  if (mends.length === 0) return []
  const { at, document, lakeward } = local
  const held = await busyLanes(lakeward.temporal, document, [at.lane.object])
  if (held.length > 0) throw busy(flowName(document), held)
  if (!(await agreed(call.view, `Mend ${counted(mends.length, 'damage')}?`, flags.yes === true))) return []
  const { mend } = await import('../../connectors/lake/repair.ts')
  const done: string[] = []
  for (const damage of mends) {
    const sentences = await mend(at, damage)
    done.push(...sentences)
    if (!flags.json) for (const sentence of sentences) call.view.say(sentence)
  }
  return done
}

function show({ view }: Call, { at, document }: LocalLane, damages: Damage[]): void {
  const here = (text: string): string =>
    text
      .replaceAll('run NAME', `run ${flowName(document)}`)
      .replaceAll('--objects OBJECT', `--objects ${at.lane.object}`)
  for (const { where, what, means } of damages) {
    view.out(view.color(`${at.store.name}/${where}`, 'bold'))
    view.out(`  wrong: ${printable(what)}`)
    for (const sentence of means) view.out(`  ${printable(here(sentence))}`)
  }
}

/** A misspelled object has an empty ledger, in which nothing is ever wrong. */
async function isLane({ at, document }: LocalLane, { found, damages }: Examined): Promise<void> {
  if (found.length > 0 || damages.length > 0) return
  const { object } = at.lane
  for await (const _ of at.store.list(laneKeys(at.lane).root)) return
  throw new InputError([
    {
      where: `${at.store.name}/${laneKeys(at.lane).root}`,
      what: `flow ${flowName(document)} has no ledger for object ${object}${meant(object, objectIds(document))}`,
      advice: `Objects of the flow: ${objectIds(document).join(', ')}.`,
    },
  ])
}

function refuseVoid({ at }: LocalLane, n: number, { found }: Examined): void {
  const one = found[n - 1]
  const wrong = (what: string, advice: string) =>
    new InputError([{ where: `--void ${n}`, what, advice: `${advice} Nothing was changed.` }])
  const highest = `The highest number in ${at.store.name}/${laneKeys(at.lane).commits} is ${found.length}.`
  if (!one) throw wrong(`there is no entry ${n}`, highest)
  if (one.entry?.kind === 'fence') throw wrong(`entry ${n} is a fence`, 'It commits nothing.')
  if (one.outcome) throw wrong(`entry ${n} is decided: ${one.outcome.outcome}`, 'What is decided stays.')
}
