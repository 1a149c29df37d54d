/** Laws of the package: what it exports exists, what it ships runs, and what it needs can be installed everywhere. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesBelow, relativeToRoot, ROOT, textOf } from './sources.ts'

interface Package {
  name: string
  bin: Record<string, string>
  exports: Record<string, string | { types: string; default: string }>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  peerDependencies: Record<string, string>
  overrides: Record<string, string>
}
interface Locked {
  version?: string
  optionalDependencies?: Record<string, string>
  resolved?: string
}
const manifest: Package = JSON.parse(textOf('package.json'))
const lock: { packages: Record<string, Locked> } = JSON.parse(textOf('package-lock.json'))
const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [{ name, ...target }],
)

describe('the lock', () => {
  const lacks = (packages: Record<string, Locked>): string[] => {
    const names = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)))
    return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).flatMap((name) => (names.has(name) ? [] : [`${path} lacks ${name}`])),
    )
  }

  it('holds every platform package that anything in it names: else npm ci fails elsewhere', () => {
    expect(lacks(lock.packages)).toEqual([])
    expect(lacks({ 'node_modules/a': { optionalDependencies: { 'a-darwin': '1' } } })).toHaveLength(1)
  })

  it('names no registry', () => {
    expect(Object.entries(lock.packages).flatMap(([path, { resolved }]) => (resolved ? [path] : []))).toEqual([])
  })

  it('is the one of package.json', () => {
    const root: Partial<Package> = lock.packages[''] as Partial<Package>
    for (const part of ['dependencies', 'devDependencies', 'peerDependencies'] as const) {
      expect(root[part]).toEqual(manifest[part])
    }
  })
})

describe('versions', () => {
  it('are exact, but for protobufjs', () => {
    const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.overrides })
    const loose = all.filter(([name, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version) && name !== 'protobufjs')
    expect(loose).toEqual([])
  })

  it('of Temporal are one: peers of a minor, and the same in development', () => {
    const peers = Object.entries(manifest.peerDependencies)
    expect(peers.every(([name]) => name.startsWith('@temporalio/'))).toBe(true)
    for (const [name, range] of peers) expect(manifest.devDependencies[name]).toBe(range.replace('~', ''))
    expect(new Set(peers.map(([, range]) => range)).size).toBe(1)
  })

  it('of protobufjs: one copy serves all of Temporal', () => {
    // Two copies break the reading of JSON histories.
    const copies = Object.keys(lock.packages).filter((path) => path.endsWith('node_modules/protobufjs'))
    expect(copies.filter((path) => path.includes('@temporalio'))).toEqual([])
  })
})

describe('exports', () => {
  it('have a source each', () => {
    const sources = entries.map((entry) => entry.default.replace('./dist/', '').replace(/\.js$/, '.ts'))
    expect(sources.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })
})

describe('the built package', () => {
  let out: string
  beforeAll(() => {
    // Inside the project, so that what is built finds its packages.
    mkdirSync(join(ROOT, 'node_modules/.cache'), { recursive: true })
    out = mkdtempSync(join(ROOT, 'node_modules/.cache/lakeward-build-'))
    execFileSync(process.execPath, ['scripts/build.mjs', out], { cwd: ROOT, stdio: 'pipe' })
  }, 120_000)
  afterAll(() => rmSync(out, { recursive: true, force: true }))

  const built = (path: string): string => join(out, path.replace('./dist/', ''))

  it('has every export, and each loads in plain Node', () => {
    const missing = entries.flatMap((entry) => [entry.types, entry.default]).filter((path) => !existsSync(built(path)))
    expect(missing).toEqual([])
    const loads = entries.map((entry) => `await import(${JSON.stringify(built(entry.default))})`)
    const script = `${loads.join('\n')}\nprocess.exit(0)`
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('')
  })

  it('has no .ts beside a .js: bundlers would take the .ts', () => {
    const files = filesBelow(relativeToRoot(out))
    expect(files.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([])
    expect(files.length).toBeGreaterThan(20)
  })

  it('has the files that its code reads', () => {
    for (const path of [
      'worker/temporal-cli/go.mod',
      'worker/temporal-cli/go.sum',
      'client/schemas',
      'client/examples',
    ]) {
      expect(existsSync(join(out, path)), path).toBe(true)
    }
  })
})

it('the command can be run', () => {
  for (const path of Object.values(manifest.bin)) expect(statSync(join(ROOT, path)).mode & 0o111, path).not.toBe(0)
})

it('CI runs the command that the README names', () => {
  const command = 'npm ci && npm test'
  expect(textOf('README.md')).toContain(command)
  expect(textOf('.ci/run')).toContain(`+ ${command}`)
  expect(textOf('.github/workflows/test.yml')).toContain('.ci/run')
})
