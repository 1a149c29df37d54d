/** The package's version, for the User-Agent header; the same from a clone and from an installed package. */
import { readFileSync } from 'node:fs'

let known: string | undefined

export function version(): string {
  known ??= find(new URL('.', import.meta.url)) ?? '0.0.0'
  return known
}

/** Compiled files lie one folder deeper than sources, so the package is the first one upwards that has our name. */
function find(folder: URL): string | undefined {
  for (let at = folder, up = 0; up < 5; at = new URL('..', at), up++) {
    try {
      const found = JSON.parse(readFileSync(new URL('package.json', at), 'utf8')) as { name?: string; version?: string }
      if (found.name === 'lakeward') return found.version
    } catch {
      // no package here
    }
  }
  return undefined
}
