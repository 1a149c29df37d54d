/** The sources as text: which files there are and what they import. Read by the tests of the laws. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const ROOMS = ['connectors', 'activities', 'workflows', 'worker', 'client', 'test'] as const
export type Room = (typeof ROOMS)[number]

/** Folders and files of a clone that are nobody's writing. */
const SKIPPED = new Set(['node_modules', '.git', 'dist', '.lakeward', './lake', 'package-lock.json', 'go.sum'])

/** Paths below a folder of the project, relative to its root, with `/`. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const isBuilt = entry.name.startsWith('dist-test-')
    if (isBuilt || SKIPPED.has(entry.name) || SKIPPED.has(`${folder}/${entry.name}`)) return []
    const path = posix.join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

export const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** All code of the rooms: the product and its tests. */
export const codeFiles = (): string[] =>
  ROOMS.flatMap((room) => filesBelow(room)).filter((path) => path.endsWith('.ts'))

export interface Import {
  file: string
  line: number
  /** As written; a path of our own is resolved to the file it names, relative to the root. */
  target: string
  own: boolean
  kind: 'value' | 'type' | 'lazy'
}

const STATEMENT = /^(?:import|export)(\s+type)?\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm
const LAZY = /(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]\s*\)(\.[A-Z])?/g

/** Imports and re-exports of a file. `import { type A }` counts as a value: it still loads the module. */
export function importsOf(file: string, source: string = textOf(file)): Import[] {
  const code = withoutComments(source)
  const found: Import[] = []
  const add = (at: number, written: string, kind: Import['kind']): void => {
    const own = written.startsWith('.')
    const target = own ? posix.normalize(posix.join(posix.dirname(file), written)) : written
    found.push({ file, line: code.slice(0, at).split('\n').length, target, own, kind })
  }
  for (const match of code.matchAll(STATEMENT)) add(match.index, match[2] ?? '', match[1] ? 'type' : 'value')
  for (const match of code.matchAll(LAZY)) add(match.index, match[2] ?? '', match[1] || match[3] ? 'type' : 'lazy')
  return found
}

/**
 * Comments and texts in `"` and backticks become blanks, so that lines keep their numbers. What is imported is always
 * written in single quotes (the formatter sees to it); code in double quotes is code that a test speaks about.
 */
function withoutComments(source: string): string {
  const token = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g
  return source.replace(token, (text) => (text.startsWith("'") ? text : text.replace(/[^\n]/g, ' ')))
}

export const roomOf = (path: string): string => path.slice(0, path.indexOf('/'))

/** `@scope/name` or `name` of a package specifier. */
export const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

/** For messages: file and line, relative to the root. */
export const show = (found: Import, rule: string): string =>
  `${found.file}:${found.line} imports ${found.target}: ${rule}`

export const relativeToRoot = (path: string): string => relative(ROOT, path)
