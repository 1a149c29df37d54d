/**
 * Objects by pattern (`Contact*`): the ones that the source lists now, in place of the pattern. Pure.
 *
 * Laws
 * - What is named on its own wins over a pattern, the earlier of two patterns over the later: no object comes twice.
 * - What a pattern takes goes by its own name everywhere, and what it leaves out is told with the reason.
 */
import type { ObjectInfo } from './connector.ts'
import { InputError } from './errors.ts'
import type { FlowObject } from './flow-source.ts'
import { badFolder, mixes } from './flow-values.ts'
import { meant } from './nearest.ts'

/** `*` stands for any letters, or none; everything else for itself. */
export const isPattern = (name: string): boolean => name.includes('*')

/** Stands for objects that the source lists; a pattern of files, or of kinds of events, is one object. */
export const isForMany = ({ object, files, events }: Pick<FlowObject, 'object' | 'files' | 'events'>): boolean =>
  !files && !events && isPattern(object)

/** More lanes than this are no run any more. */
export const MOST_OBJECTS = 1500
const MOST_NAMES = 12

export interface TakenObject extends FlowObject {
  /** Place among the flow's objects as written. */
  at: number
  /** The pattern that took it. */
  pattern?: string
}

export interface Expanded {
  objects: TakenObject[]
  /** Sentences for the report: what was taken and what was left out. */
  notes: string[]
}

export function matches(pattern: string, name: string): boolean {
  return matcher(pattern)(name)
}

/** `listed` is not looked at where no object is a pattern. */
export function expandPatterns(written: FlowObject[], listed: ObjectInfo[]): Expanded {
  const named = written.filter((one) => !isForMany(one))
  const ids = new Map<string, string>()
  for (const { id, object } of named) ids.set(id, 'named on its own').set(object, 'named on its own')
  const notes: string[] = []
  const objects = written.flatMap((one, at): TakenObject[] => {
    if (!isForMany(one)) return [{ ...one, at }]
    const { taken, left } = take(one.object, listed, named, ids)
    for (const name of taken) ids.set(name, `taken by ${one.object}`)
    if (taken.length === 0 && left.size === 0) throw nothing(one.object, at, listed)
    notes.push(told(one.object, taken, left))
    return taken.map((name) => ({ ...one, object: name, id: name, into: name, at, pattern: one.object }))
  })
  if (objects.length > MOST_OBJECTS) throw tooMany(objects.length)
  if (objects.length > 0) return { objects, notes }
  throw wrong('source.objects', notes.join(' '), 'Name objects that the login may read.')
}

/** Names in order, and what is left out by reason. */
function take(pattern: string, listed: ObjectInfo[], named: FlowObject[], ids: Map<string, string>) {
  const fits = matcher(pattern)
  const taken: string[] = []
  const left = new Map<string, string[]>()
  const found = listed.filter(({ name }) => fits(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  for (const { name, unreadable } of found) {
    const folder = named.find(({ into }) => mixes(into, name))
    const unfit = name.includes('/') || badFolder(name) !== undefined
    const why =
      ids.get(name) ??
      unreadable ??
      (unfit ? 'the name does not fit as a folder: name it on its own, with `into`' : undefined) ??
      (folder && `the folder of ${folder.id} is in the way`)
    if (why === undefined) taken.push(name)
    else left.set(why, [...(left.get(why) ?? []), name])
  }
  return { taken, left }
}

function told(pattern: string, taken: string[], left: Map<string, string[]>): string {
  const out = [...left].map(([why, names]) => `left out: ${some(names)} (${why})`)
  const objects = taken.length === 1 ? '1 object' : `${taken.length} objects`
  return `${[`${pattern} takes ${objects}${taken.length > 0 ? `: ${some(taken)}` : ''}`, ...out].join('; ')}.`
}

/** Names in a line: the first ones, and how many more. */
export function some(names: string[]): string {
  if (names.length <= MOST_NAMES) return names.join(', ')
  return `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more`
}

function nothing(pattern: string, at: number, listed: ObjectInfo[]): InputError {
  const names = listed.map(({ name }) => name)
  const small = matcher(pattern.toLowerCase())
  const near = names.filter((name) => small(name.toLowerCase()))
  const hint = near.length > 0 ? `, but ${some(near.slice(0, 3))} would in other letters` : meantName(pattern, names)
  const advice = '`lakeward objects CONNECTION` lists what there is; capital and small letters count.'
  return wrong(`source.objects[${at}]`, `no object matches ${pattern}${hint}`, advice)
}

const meantName = (pattern: string, names: string[]): string => meant(pattern.replaceAll('*', ''), names)

function tooMany(count: number): InputError {
  const what = `the patterns take ${count} objects, and a flow has ${MOST_OBJECTS} at most`
  return wrong('source.objects', what, 'Narrow them, or split the objects over several flows.')
}

function wrong(where: string, what: string, advice: string): InputError {
  return new InputError([{ where, what, advice }])
}

function matcher(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^$()|[\]{}\\]/g, String.raw`\$&`))
  const whole = new RegExp(`^${parts.join('.*')}$`, 's')
  return (name) => whole.test(name)
}
