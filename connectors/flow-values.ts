/** Values that a flow spells as text: names, durations, times, sizes, types, paths, templates. */
import { z } from 'zod'
import type { FieldType } from './connector.ts'
import { meant } from './nearest.ts'
import { list, noRepeats, parsed, type Read, shown, text, words } from './strict.ts'

/** Flows, connections and keys are named alike. */
export const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/
const nameRule = 'begin with a-z or 0-9, go on with a-z, 0-9, _, . or -, at most 64 characters'

export const name = (about: string) =>
  z
    .string()
    .regex(NAME, {
      error: (issue) =>
        words(issue.input === '' ? 'is empty' : `${shown(String(issue.input))} is not a name`, nameRule),
    })
    .describe(about)

// --------------------------------------------------------------------------------------------------------- fields

export const fieldName = text('A field')

/** A field that a step makes: names of ours are taken. */
export const newField = (about: string) =>
  text(about).refine((field) => !field.startsWith('_lakeward'), {
    error: words('names that begin with _lakeward are reserved', 'choose another name'),
  })

export const fields = (about: string) => list(about, fieldName).superRefine(noRepeats)

/** Numbers are JSON's: what a double cannot hold is refused before (`flow.ts`). */
export const plainValue = (about: string) => z.union([z.string(), z.number(), z.boolean()]).describe(about)

const plainTypes = [
  'string',
  'boolean',
  'int32',
  'int64',
  'float64',
  'date',
  'time',
  'timestamp',
  'binary',
  'json',
] as const satisfies FieldType[]
const otherWords: Record<string, string> = {
  text: 'string',
  varchar: 'string',
  int: 'int32 or int64',
  integer: 'int32 or int64',
  long: 'int64',
  bigint: 'int64',
  float: 'float64',
  double: 'float64',
  number: 'decimal(p,s) or float64',
  numeric: 'decimal(p,s)',
  decimal: 'decimal(p,s)',
  bool: 'boolean',
  datetime: 'timestamp',
}
const allTypes = `${plainTypes.join(' | ')} | decimal(p,s)`

export const castType = parsed(
  `A type: ${allTypes}`,
  (written): Read<FieldType> => {
    const plain = plainTypes.find((type) => type === written)
    if (plain) return { value: plain }
    const decimal = /^decimal\( *(\d{1,3}) *, *(\d{1,3}) *\)$/.exec(written)
    if (decimal) {
      const [precision, scale] = [Number(decimal[1]), Number(decimal[2])]
      if (precision >= 1 && precision <= 38 && scale <= precision) return { value: `decimal(${precision},${scale})` }
      return {
        refused: words(`${shown(written)} has no such precision`, 'decimal(p,s) with p from 1 to 38, s from 0 to p'),
      }
    }
    if (/^decimal\([^)]*$/.test(written)) {
      return {
        refused: words(`${shown(written)} is cut off`, 'a comma ends a value inside { }: put "decimal(p,s)" in quotes'),
      }
    }
    const other = otherWords[written.toLowerCase()]
    if (other) return { refused: words(`${shown(written)} is not a type, did you mean ${other}?`, allTypes) }
    return { refused: words(`${shown(written)} is not a type${meant(written, plainTypes)}`, allTypes) }
  },
  { pattern: `^(${plainTypes.join('|')}|decimal\\( *\\d+ *, *\\d+ *\\))$` },
)

// ---------------------------------------------------------------------------------------------------------- times

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const LONGEST = 3660 * UNITS['d']!
const aDuration = 'a duration: 30s, 10m, 2h or 7d'

/** Milliseconds. */
export const duration = (about: string, least: 0 | 1) =>
  parsed(
    `${about}; ${aDuration}`,
    (written): Read<number> => {
      const match = /^(\d{1,9})([smhd])$/.exec(written)
      if (!match) return { refused: words(`${shown(written)} is not a duration`, `write ${aDuration}`) }
      const ms = Number(match[1]) * UNITS[match[2]!]!
      if (ms < least) return { refused: words('must be longer than nothing', `write ${aDuration}`) }
      if (ms > LONGEST) return { refused: words(`${shown(written)} is longer than ten years`, `write ${aDuration}`) }
      return { value: ms }
    },
    { pattern: '^\\d+[smhd]$' },
  )

const aTime = '2024-01-31 for 00:00 UTC, 2024-01-31T10:30:00Z or 2024-01-31T10:30:00+02:00'
const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?$/

/** An ISO instant with Z and milliseconds, so that instants sort as text. */
export function readTime(written: string): Read<string> {
  const match = TIME.exec(written)
  if (!match) return { refused: words(`${shown(written)} is not a time`, `write ${aTime}`) }
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] =
    match
  if (fraction.length > 3)
    return { refused: words('is finer than milliseconds', 'three digits after the point at most') }
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0')}`
  const plain = new Date(`${local}Z`)
  // Date takes 2024-02-30 and 24:00 for the day after.
  if (Number.isNaN(plain.getTime()) || plain.toISOString() !== `${local}Z`) {
    return { refused: words(`${shown(written)} is not in the calendar`, 'check month, day and hour') }
  }
  const instant = new Date(local + zone)
  if (Number.isNaN(instant.getTime()) || instant.getUTCFullYear() < 1 || instant.getUTCFullYear() > 9999) {
    return { refused: words(`${shown(written)} is out of range`, 'zones go to 23:59, years from 0001 to 9999') }
  }
  return { value: instant.toISOString() }
}

export const time = (about: string) => parsed(`${about}; a time: ${aTime}`, readTime)

export const timezoneName = parsed('A time zone: Europe/Berlin; default UTC', (written): Read<string> => {
  const refused = words(`${shown(written)} is not a time zone`, 'a name such as UTC, Europe/Berlin or America/New_York')
  if (!/^[A-Za-z]/.test(written)) return { refused }
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: written }).resolvedOptions()
    const sameLetters = timeZone.toLowerCase() === written.toLowerCase()
    if (!sameLetters || timeZone === written) return { value: written }
    return { refused: words(`${shown(written)} is not a time zone, did you mean '${timeZone}'?`) }
  } catch {
    const all = Intl.supportedValuesOf('timeZone')
    const city = all.find(
      (zone) => zone.split('/').at(-1)?.toLowerCase() === written.toLowerCase().replaceAll(' ', '_'),
    )
    const hint = city ? `, did you mean '${city}'?` : meant(written, all)
    return { refused: refused.replace('time zone\n', `time zone${hint}\n`) }
  }
})

// ---------------------------------------------------------------------------------------------------------- sizes

/** Bytes; a megabyte is 1024 · 1024. */
export const size = (about: string) =>
  parsed(
    `${about}: 256MB, 1GB`,
    (written): Read<number> => {
      const match = /^(\d{1,6})(MB|GB)$/.exec(written)
      if (!match) return { refused: words(`${shown(written)} is not a size`, 'a number and MB or GB: 256MB, 1GB') }
      const bytes = Number(match[1]) * 1024 * 1024 * (match[2] === 'GB' ? 1024 : 1)
      if (bytes < 1) return { refused: words('must be at least 1MB', 'a number and MB or GB: 256MB, 1GB') }
      if (bytes > 1024 ** 4) return { refused: words(`${shown(written)} is more than a file can be`, 'at most 1024GB') }
      return { value: bytes }
    },
    { pattern: '^\\d+(MB|GB)$' },
  )

// ---------------------------------------------------------------------------------------------------------- paths

/** What keeps a path from being one below a lake's root, or nothing. */
export function badFolder(path: string): string | undefined {
  const segments = path.split('/')
  if (path.startsWith('/') || path.endsWith('/')) return 'must not begin or end with /'
  if (segments.includes('')) return 'has an empty part: //'
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'must not have . or .. as a part'
  if (segments[0] === '_lakeward') return 'must not begin with _lakeward, which holds the ledger'
  // oxlint-disable-next-line no-control-regex -- these are what is refused
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return 'must not have a backslash or control characters'
  if (segments.some((segment) => segment !== segment.trim())) return 'has a part that begins or ends with a space'
  if (path.length > 512) return 'is longer than 512 characters'
  return undefined
}

/** Readers of a folder read what lies below it as well. */
export const mixes = (a: string, b: string): boolean => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)

export const folder = (about: string) =>
  parsed(about, (written): Read<string> => {
    if (written === '') return { refused: words('is empty', about) }
    const wrong = badFolder(written)
    return wrong === undefined ? { value: written } : { refused: words(wrong, 'for example sales/accounts') }
  })

// ------------------------------------------------------------------------------------------------------ templates

/** Text and fields in turn: `{City}: {{` is a field, `: ` and a brace. */
export type TemplatePart = string | { field: string }

export function readTemplate(template: string): Read<TemplatePart[]> {
  const parts: TemplatePart[] = []
  let plain = ''
  for (let i = 0; i < template.length; i++) {
    if (template[i] !== '{' || template[i + 1] === '{') {
      plain += template[i]
      if (template[i] === '{') i++
      continue
    }
    const end = template.indexOf('}', i)
    const field = template.slice(i + 1, end)
    if (end < 0 || field.includes('{')) return { refused: words('has a { that is not closed', 'write {{ for a brace') }
    if (field.trim() === '') return { refused: words('has {} without a field', 'write {Field}, or {{ for a brace') }
    if (plain) parts.push(plain)
    plain = ''
    parts.push({ field })
    i = end
  }
  if (plain) parts.push(plain)
  return { value: parts }
}

export const templateText = parsed('Text with {Field} in it; {{ is a brace', (written): Read<string> => {
  const read = readTemplate(written)
  if ('refused' in read) return read
  if (read.value.some((part) => typeof part === 'object')) return { value: written }
  return { refused: words('names no field', 'write {Field} in it, or use set for a constant') }
})
