/** Assertions that say which records are wrong. */
import { isDeepStrictEqual } from 'node:util'
import { ConnectorError } from '../../connectors/errors.ts'
import type { ErrorKind } from '../../connectors/connector.ts'
import type { Got, GotPage } from './reading.ts'

const SHOWN = 3

export class Unmet extends Error {
  override readonly name = 'Unmet'
}

export function same(found: unknown, expected: unknown, what = ''): void {
  if (isDeepStrictEqual(found, expected)) return
  throw new Unmet(`${what && `${what}: `}expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`)
}

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Unmet(what)
}

export function flat(pages: GotPage[]): Got[] {
  return pages.flatMap((page) => page.records)
}

/** The same records, each once, with the same values and the same op. */
export function sameRecords(got: Got[], expected: Got[], what: string): void {
  const wanted = new Map(expected.map((one) => [one.key, one]))
  const seen = new Map<string, Got>()
  const twice: string[] = []
  for (const one of got) {
    if (seen.has(one.key)) twice.push(one.key)
    seen.set(one.key, one)
  }
  const lost = [...wanted.keys()].filter((key) => !seen.has(key))
  const extra = [...seen.keys()].filter((key) => !wanted.has(key))
  const problems = [problem('lost', lost), problem('not due', extra), problem('doubled', twice)].filter(Boolean)
  must(problems.length === 0, `${what}: ${problems.join('; ')}`)
  for (const [key, one] of wanted) {
    const found = seen.get(key)!
    must(found.deleted === one.deleted, `${what}: ${key} is ${one.deleted ? '' : 'not '}deleted`)
    for (const [name, value] of Object.entries(found.values)) {
      const exact = one.values[name]
      must(value === exact, `${what}: ${name} of ${key} is ${JSON.stringify(value)}, not ${JSON.stringify(exact)}`)
    }
  }
}

/** Fails with an error of one of these kinds; gives it. */
export async function refuses(work: Promise<unknown>, kinds: ErrorKind[], what: string): Promise<ConnectorError> {
  let error: unknown
  try {
    await work
  } catch (thrown) {
    error = thrown
  }
  must(error !== undefined, `${what}: no error`)
  must(error instanceof ConnectorError, `${what}: ${String(error)} is no ConnectorError`)
  const { kind, message } = error as ConnectorError
  must(kinds.includes(kind), `${what}: the error's kind is ${kind} (${message}), not ${kinds.join(' or ')}`)
  return error as ConnectorError
}

function problem(what: string, keys: string[]): string {
  return keys.length === 0 ? '' : `${keys.length} ${what} (${keys.slice(0, SHOWN).join(', ')})`
}
