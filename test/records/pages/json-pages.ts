/** Pages of JSON, by seed: mostly records alike, as servers write them, and all the ways to be otherwise. */
import { number, text } from './chance.ts'
import type { Chance } from './chance.ts'

export interface JsonPage {
  body: string
  /** Each by itself. */
  records: string[]
}

const NAMES = ['Id', 'n', 'CreatedDate', 'Namé', 'a"b', '']

export function jsonPage(chance: Chance): JsonPage {
  const names = NAMES.slice(0, 1 + chance.int(NAMES.length))
  const gap = chance.pick(['', '', '', ' ', '\n  ', '\t\r\n'])
  const wild = chance.pick([0, 0, 12, 3])
  const count = chance.once(9) ? chance.int(3) : 2 + chance.int(9)
  const records = Array.from({ length: count }, () => record(names, gap, wild, chance))
  const space = chance.pick(['', '', gap])
  const list = `[${space}${records.join(`${space},${gap}`)}${space}]`
  const beside = `"done"${gap}:${gap}${nested(chance, 2)}`
  const body = chance.once(4)
    ? `{"records":${list}}`
    : `{${beside},${gap}"records"${gap}:${list},"more":${nested(chance, 1)}}`
  return { body: (chance.once(20) ? '\ufeff' : '') + body, records }
}

/** `wild`: once in so many records something is otherwise; 0: never. */
function record(names: string[], gap: string, wild: number, chance: Chance): string {
  const odd = wild > 0 && chance.once(wild)
  let members = names.map((name) => member(name, gap, chance))
  members.unshift(
    `"attributes"${gap}:${gap}{"type":"A","url":${quoted(text(chance), chance)}${odd ? ',"x":[{}]' : ''}}`,
  )
  if (odd) {
    if (chance.once(3)) members.reverse()
    if (chance.once(3)) members = members.filter(() => !chance.once(3))
    if (chance.once(3)) members.splice(chance.int(members.length), 0, `"more"${gap}:${nested(chance, 2)}`)
    if (chance.once(6)) members.push(member(chance.pick(names), gap, chance))
  }
  return `{${gap}${members.join(`${gap},${gap}`)}${gap}}`
}

function member(name: string, gap: string, chance: Chance): string {
  const written = name === 'Id' && chance.once(60) ? '"\\u0049d"' : JSON.stringify(name)
  return `${written}${gap}:${gap}${chance.once(25) ? nested(chance, 2) : scalar(chance)}`
}

function scalar(chance: Chance): string {
  if (chance.once(5)) return 'null'
  if (chance.once(9)) return chance.pick(['true', 'false'])
  return chance.once(3) ? number(chance) : quoted(text(chance), chance)
}

function nested(chance: Chance, deep: number): string {
  if (deep === 0 || chance.once(4)) return scalar(chance)
  const inside = Array.from({ length: chance.int(3) }, () => nested(chance, deep - 1))
  return chance.once(2) ? `[${inside.join(', ')}]` : `{${inside.map((each, i) => `"k${i}":${each}`).join(',')}}`
}

/** Letters are escaped that need not be, and half a pair stands alone. */
function quoted(plain: string, chance: Chance): string {
  let json = JSON.stringify(plain)
  if (chance.once(6)) json = json.replaceAll('/', '\\/').replaceAll('a', '\\u0061').replaceAll('é', '\\u00E9')
  if (chance.once(12))
    json = `"${chance.pick(['\\ud83d\\ude00', '\\ud83d', '\\ude00\\ud83d', '\\u0000'])}${json.slice(1)}`
  return json
}
