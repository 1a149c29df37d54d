/** The objects of a flow that can be verified: those it names, and of its patterns those that have a ledger. */
import type { Place } from '../../../activities/place.ts'
import { type Flow, type FlowObject, parseFlow } from '../../../connectors/flow.ts'
import { isForMany, matches } from '../../../connectors/flow-patterns.ts'
import { segment } from '../../../connectors/lake/keys.ts'
import type { LocalFlow } from '../lane.ts'

export interface KnownLane {
  id: string
  flow: Flow
  object: FlowObject
  place: Place
}

export async function lanesOf({ document, parts, store }: LocalFlow): Promise<KnownLane[]> {
  const { placeOf } = await import('../../../activities/place.ts')
  const flow = parseFlow(document)
  const named = flow.source.objects.filter((one) => !isForMany(one))
  const taken = flow.source.objects.some(isForMany) ? await ledgersBelow(flow.name) : []
  const ofPatterns = taken
    .filter((name) => !named.some(({ id, object }) => id === name || object === name))
    .flatMap((name) => {
      const pattern = flow.source.objects.find((one) => isForMany(one) && matches(one.object, name))
      return pattern ? [{ ...pattern, object: name, id: name, into: name }] : []
    })
  const places = {
    installation: () => Promise.resolve(parts.installation),
    lake: (name: string, touched?: string[]) => parts.lake(name, touched),
    stateLake: () => parts.stateLake(),
  }
  const lanes: KnownLane[] = []
  for (const object of [...named, ...ofPatterns]) {
    lanes.push({ id: object.id, flow, object, place: await placeOf(places, { flow, object }) })
  }
  return lanes

  /** Names of objects by their folders; one that is too long for a folder is told by none. */
  async function ledgersBelow(name: string): Promise<string[]> {
    const folder = `_lakeward/${segment(name)}/`
    const found = new Set<string>()
    for await (const { key } of store.list(folder)) found.add(key.slice(folder.length).split('/')[0]!)
    return [...found].filter((one) => !one.includes('~')).map(decodeURIComponent)
  }
}
