/**
 * A flow or an installation as a person wrote it: YAML 1.2 (core) or JSON, which YAML 1.2 contains.
 *
 * Laws: nothing reads otherwise than it looks (keys are their text, numbers are what was written or refused, no keys
 * twice, no tags, no merge keys), and no message quotes the file: lakeward.yaml holds settings next to secrets.
 */
import { readFile, stat } from 'node:fs/promises'
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from 'yaml'
import { InputError, type Problem } from './errors.ts'
import { type Path, showPath } from './strict.ts'

export interface Document {
  /** As it was asked for. */
  path: string
  /** Plain JSON; keys in the order of the file. */
  value: unknown
  /** `file.yaml:12`: where a path of the value, or the nearest thing above it, is written. */
  at(path: Path): string
}

/** Largest file that is read; a flow itself may have 256 KB as JSON. */
const FILE_BYTES = 1024 * 1024
const DEPTH = 64
const TOWER = 4 * DEPTH
/** Values after aliases are put in: a few lines of aliases can stand for billions. */
const NODES = 100_000

/**
 * @param absent what else to do where there is no such file
 * @throws InputError naming the file, and the lines where they are known
 */
export async function readDocument(path: string, absent = ''): Promise<Document> {
  return parseText(decode(await bytesOf(path, absent), path), path)
}

async function bytesOf(path: string, absent: string): Promise<Uint8Array> {
  try {
    const about = await stat(path)
    if (about.isDirectory()) refuse(path, 'is a directory', 'name the file in it')
    if (about.size > FILE_BYTES) refuse(path, 'is larger than 1 MB', 'a flow is small: is this the right file?')
    return await readFile(path)
  } catch (error) {
    if (error instanceof InputError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') refuse(path, 'does not exist', `${absent}looked from ${process.cwd()}`)
    if (code === 'EACCES' || code === 'EPERM') refuse(path, 'may not be read', 'check its permissions')
    return refuse(path, `cannot be read (${code ?? 'unknown error'})`)
  }
}

function decode(bytes: Uint8Array, path: string): string {
  if (bytes.length > FILE_BYTES) refuse(path, 'is larger than 1 MB', 'a flow is small: is this the right file?')
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (text.includes('\0')) refuse(path, 'is not text', 'it has NUL bytes: is this the right file?')
    return text
  } catch (error) {
    if (error instanceof InputError) throw error
    return refuse(path, 'is not UTF-8', 'save it with the encoding UTF-8')
  }
}

/** `name` stands for the file in messages. */
export function parseText(text: string, name: string): Document {
  const lines = new LineCounter()
  const options = { version: '1.2', schema: 'core', strict: true, uniqueKeys: false, prettyErrors: false } as const
  if (isTower(text)) refuse(name, 'is nested too deeply', `at most ${DEPTH} levels`)
  const parsed = parseDocument(text, { ...options, lineCounter: lines, keepSourceTokens: false })
  const line = (offset: number): string => `${name}:${lines.linePos(offset).line || 1}`

  // One mistake makes the parser stumble many times: the first of a line is told, and the first few lines.
  const stumbles = new Map(
    parsed.errors.toReversed().map((error): [string, Problem] => {
      const [what, advice] = syntax[error.code] ?? [
        'is not YAML from here on',
        'check indentation, quotes and brackets',
      ]
      return [line(error.pos[0]), { where: line(error.pos[0]), what, advice }]
    }),
  )
  const problems = [...stumbles.values()].toReversed().slice(0, 3)
  if (parsed.directives?.yaml.version === '1.1') {
    problems.push({ where: `${name}:1`, what: 'asks for YAML 1.1', advice: 'remove the %YAML line: YAML 1.2 is read' })
  }
  if (problems.length > 0) throw new InputError(problems)

  const positions = new Map<string, number>()
  const reader = new Reader(parsed.contents, positions, (offset, path, what, advice) => {
    const inside = showPath(path.slice(0, 8))
    problems.push({ where: inside ? `${line(offset)} ${inside}` : line(offset), what, ...(advice && { advice }) })
  })
  const value = reader.read()
  if (problems.length > 0) throw new InputError(problems)
  if (value === null) refuse(name, 'is empty', 'write a mapping that begins with `version: 1`')

  return {
    path: name,
    value,
    at(path) {
      for (let length = path.length; length >= 0; length--) {
        const offset = positions.get(JSON.stringify(path.slice(0, length)))
        if (offset !== undefined) return line(offset)
      }
      return name
    },
  }
}

type Report = (offset: number, path: Path, what: string, advice?: string) => void

/** Walks the syntax tree: values, the place of each, and what cannot stand. */
class Reader {
  readonly #root: Node | null
  readonly #positions: Map<string, number>
  readonly #report: Report
  readonly #open = new Set<Node>()
  readonly #anchors = new Map<string, Node>()
  #count = 0

  constructor(root: Node | null, positions: Map<string, number>, report: Report) {
    this.#root = root
    this.#positions = positions
    this.#report = report
  }

  read(): unknown {
    return this.#value(this.#root, [], this.#root?.range?.[0] ?? 0)
  }

  #value(node: Node | null, path: Path, place: number): unknown {
    if (!this.#positions.has(JSON.stringify(path))) this.#positions.set(JSON.stringify(path), place)
    if (node === null) return null
    const offset = node.range?.[0] ?? place
    this.#count++
    if (this.#count === NODES)
      this.#report(offset, path, 'aliases stand for too many values', 'write less with aliases')
    if (this.#count >= NODES) return null
    if (path.length > DEPTH) return this.#refuse(offset, path, 'is nested too deeply', `at most ${DEPTH} levels`)
    if (!isAlias(node) && node.tag && !coreTags.has(node.tag)) {
      return this.#refuse(offset, path, 'has a tag', 'remove it (the word that begins with !); text goes in quotes')
    }
    if (isAlias(node)) return this.#alias(node.source, path, place)
    this.#anchor(node)
    if (isMap(node)) return this.#map(node.items, path, offset)
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const child = item as Node | null
        return this.#value(child, [...path, index], child?.range?.[0] ?? offset)
      })
    }
    if (!isScalar(node)) return this.#refuse(offset, path, 'is neither a value, a list nor a mapping')
    return this.#scalar(node, path, offset)
  }

  /** The newest anchor of a name counts; what an alias brings in again defines nothing. */
  #anchor(node: Node | null): void {
    const name = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined
    if (name && node && this.#open.size === 0) this.#anchors.set(name, node)
  }

  #alias(name: string, path: Path, place: number): unknown {
    const target = this.#anchors.get(name)
    if (!target) return this.#refuse(place, path, 'names an anchor that is not above it')
    if (this.#open.has(target)) return this.#refuse(place, path, 'is an alias of something it lies in')
    this.#open.add(target)
    const value = this.#value(target, path, place)
    this.#open.delete(target)
    return value
  }

  #map(pairs: { key: unknown; value: unknown }[], path: Path, place: number): unknown {
    const table: Record<string, unknown> = {}
    for (const pair of pairs) {
      const key = pair.key as Node | null
      const offset = key?.range?.[0] ?? place
      const name = isScalar(key) ? nameOf(key) : undefined
      this.#anchor(key)
      if (name === undefined) this.#report(offset, path, 'has a key that is not plain text', 'write the key as text')
      else if (name === '' && isScalar(key) && key.value === null)
        this.#report(offset, path, 'has a key without a name')
      else if (name === '__proto__') this.#report(offset, path, 'has a key that no system can hold: __proto__')
      else if (Object.hasOwn(table, name))
        this.#report(offset, [...path, name], `'${name}' is written twice`, 'keep one')
      else table[name] = this.#value(pair.value as Node | null, [...path, name], offset)
    }
    return table
  }

  #scalar(node: Scalar, path: Path, offset: number): unknown {
    const { value, source } = node
    if (typeof value === 'number' && /^[-+]?0\d/.test(source ?? '')) {
      return this.#refuse(offset, path, 'is a number with a zero before it', 'put it in quotes, or leave the zero out')
    }
    if (typeof value === 'number' && !isExact(value, source ?? String(value))) {
      const advice = 'put it in quotes: as text it is kept digit by digit'
      return this.#refuse(offset, path, 'is a number that cannot be held exactly', advice)
    }
    return value
  }

  #refuse(offset: number, path: Path, what: string, advice?: string): null {
    this.#report(offset, path, what, advice)
    return null
  }
}

const coreTags = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
)

/** A key is what is written, also where it looks like a number or a boolean. */
function nameOf(key: Scalar): string | undefined {
  if (key.tag && !coreTags.has(key.tag)) return undefined
  return typeof key.value === 'string' ? key.value : (key.source ?? undefined)
}

/** The double that was read prints as the digits that were written. */
function isExact(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false
  const plain = source.replace(/^\+/, '')
  if (/^0[xo]/.test(plain)) return BigInt(plain) === BigInt(value)
  return digits(plain) === digits(String(value))
}

/** Sign, digits without zeros at either end, and where the point is: one text per number. */
function digits(written: string): string {
  const match = /^(-?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(written)
  if (!match) return written
  const [, sign, units = '', fraction = '', exponent = '0'] = match
  const all = units + fraction
  const head = all.replace(/^0+/, '')
  if (head === '') return '0'
  const scale = Number(exponent) - fraction.length + (head.length - head.replace(/0+$/, '').length)
  return `${sign}${head.replace(/0+$/, '')}e${scale}`
}

/**
 * The parser descends by recursion, and at the end of its stack the process ends with it: what nests far too deeply is
 * refused before. An estimate, since brackets and indentation also stand in text: hence the wide margin.
 */
function isTower(text: string): boolean {
  let brackets = 0
  const columns: number[] = []
  for (const line of text.split('\n')) {
    const [all = '', indent = '', markers = ''] = /^([ \t]*)((?:[-?:][ \t]+)*)/.exec(line) ?? []
    if (line.trim() === '') continue
    while (columns.length > 0 && columns.at(-1)! >= indent.length) columns.pop()
    for (const marker of markers.matchAll(/[-?:]/g)) columns.push(indent.length + marker.index)
    columns.push(all.length)
    for (const character of line) {
      if (character === '[' || character === '{') brackets++
      else if (character === ']' || character === '}') brackets = Math.max(0, brackets - 1)
      if (brackets + columns.length > TOWER) return true
    }
  }
  return false
}

function refuse(where: string, what: string, advice?: string): never {
  throw new InputError([advice === undefined ? { where, what } : { where, what, advice }])
}

const quotes = 'text that begins with *, &, !, %, @ or ` goes in quotes'
/** The parser's own messages may quote the file; these never do. */
const syntax: Record<string, [what: string, advice: string]> = {
  ALIAS_PROPS: ['an alias cannot have a tag or an anchor', quotes],
  BAD_ALIAS: ['is not a name that * or & can stand before', quotes],
  BAD_COLLECTION_TYPE: ['has a tag of another kind', 'remove the tag'],
  BAD_DIRECTIVE: ['is a directive that YAML does not have', quotes],
  BAD_DQ_ESCAPE: [
    'has a backslash that means nothing here',
    'in "..." write \\\\ for a backslash, or use single quotes',
  ],
  BAD_INDENT: [
    'is not indented as its neighbours are',
    'keys of a mapping, items of a list begin in one column; is a bracket above not closed?',
  ],
  BAD_PROP_ORDER: ['has a tag or an anchor in the wrong place', quotes],
  BAD_SCALAR_START: ['begins with a character that cannot begin text', quotes],
  BLOCK_AS_IMPLICIT_KEY: ['has a mapping or list where text must be', 'put text with ": " in it in quotes'],
  BLOCK_IN_FLOW: ['has indented lines inside brackets', 'write { key: value } or lines, not both'],
  KEY_OVER_1024_CHARS: ['has a key of over 1,024 characters', 'check the quotes above it'],
  MISSING_CHAR: ['misses a quote, a bracket, a comma or a colon', 'check what is opened here or above and not closed'],
  MULTILINE_IMPLICIT_KEY: ['has a key of several lines', 'is there a colon missing, or indentation wrong?'],
  MULTIPLE_ANCHORS: ['has two anchors', quotes],
  MULTIPLE_DOCS: ['a second document begins', 'one file holds one document: no --- in the middle'],
  MULTIPLE_TAGS: ['has two tags', quotes],
  NON_STRING_KEY: ['has a key that is not text', 'write the key as text'],
  TAB_AS_INDENT: ['is indented with a tab', 'indent with spaces'],
  TAG_RESOLVE_FAILED: ['has a value that its tag does not fit', 'remove the tag'],
  UNEXPECTED_TOKEN: ['has something that does not belong there', 'put text with special characters in quotes'],
}
