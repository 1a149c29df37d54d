/** `codec:` and `worker:` of lakeward.yaml: right ones, and wrong ones with their path, what is wrong, what to do. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../connectors/errors.ts'
import { readCodec } from '../../connectors/installation-codec.ts'
import { readInstallation } from '../../connectors/installation.ts'

let directory: string
let path: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakeward-sections-'))
  path = join(directory, 'lakeward.yaml')
})
afterAll(() => rm(directory, { recursive: true }))

async function read(text: string) {
  await writeFile(path, `version: 1\nconnections: {}\n${text}\n`)
  return readInstallation(path)
}

async function problemOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => new Error('nothing was refused'),
    (caught: unknown) => caught,
  )
  if (!(error instanceof InputError)) throw error
  expect(error.message).not.toContain('canary')
  const [problem, ...more] = error.problems
  expect(more).toEqual([])
  return problem!
}

describe('right', () => {
  it('is a codec of several keys', async () => {
    const { codec } = await read(`codec:
  keys:
    2026-11: { kmsKey: alias/lakeward, region: eu-central-1 }
    2026-05: { file: secrets/codec }
  use: 2026-11`)
    const keys = {
      '2026-11': { kmsKey: 'alias/lakeward', region: 'eu-central-1' },
      '2026-05': { file: 'secrets/codec' },
    }
    expect(codec).toEqual({ keys, use: '2026-11' })
    expect(await readCodec(path, { env: {} })).toEqual({ settings: codec, directory })
  })

  it('are options of the workers', async () => {
    const { worker } = await read(`worker:
  slots: 12
  memory: 80%
  cpu: 90%
  pollers: 5
  cachedWorkflows: 200
  taskQueues: [crm-only]
  grace: 2m
  heartbeat: 1m
  metrics: { prometheus: 127.0.0.1:9464 }
  health: "[::1]:8080"`)
    expect(worker).toEqual({
      slots: 12,
      memory: 0.8,
      cpu: 0.9,
      pollers: 5,
      cachedWorkflows: 200,
      taskQueues: ['crm-only'],
      grace: 120_000,
      heartbeat: 60_000,
      metrics: { prometheus: '127.0.0.1:9464' },
      health: '[::1]:8080',
    })
  })

  it('is a codec from the environment, which goes before the file', async () => {
    await writeFile(path, 'codec: { keys: { of-the-file: { env: A } } }')
    const env = { LAKEWARD_CODEC: '{"keys": {"k1": {"env": "KEY"}}}' }
    expect((await readCodec(path, { env }))?.settings).toEqual({ keys: { k1: { env: 'KEY' } } })
  })

  it('is no codec where none is named, and where there is no file', async () => {
    await writeFile(path, 'connections: { crm: { connector: of-a-later-release } }')
    expect(await readCodec(path, { env: {} })).toBeNull()
    expect(await readCodec(join(directory, 'none.yaml'), { env: {} })).toBeNull()
  })
})

type Wrong = [name: string, text: string, where: string, what: RegExp, advice?: RegExp]

const codecs: Wrong[] = [
  ['without keys', '{}', 'codec.keys', /'keys' is missing/],
  ['of no key', '{ keys: {} }', 'codec.keys', /has no key/, /write one: k1/],
  ['key in plain text', '{ keys: { k1: canary } }', 'codec.keys.k1', /secret in plain text/, /kmsKey/],
  [
    'id too long',
    '{ keys: { key-of-november-26: { env: K } } }',
    'codec.keys.key-of-november-26',
    /no id/,
    /16 at most/,
  ],
  ['two keys, none chosen', '{ keys: { a: { env: A }, b: { env: B } } }', 'codec.use', /missing/, /one of a, b/],
  ['another key chosen', '{ keys: { k1: { env: A } }, use: k2 }', 'codec.use', /'k2' is no key.*'k1'/],
  [
    'region of no key',
    '{ keys: { k1: { region: x } } }',
    'codec.keys.k1.region',
    /unknown key 'region'/,
    /a codec key/,
  ],
  ['kmsKey mistyped', '{ keys: { k1: { kmskey: x } } }', 'codec.keys.k1.kmskey', /unknown key 'kmskey'/],
  ['a list', '[ { env: A } ]', 'codec', /must be a mapping/],
]

const workers: Wrong[] = [
  ['slots of none', '{ slots: 0 }', 'worker.slots', /at least 1/],
  ['memory as a number', '{ memory: 0.8 }', 'worker.memory', /must be text/, /80%/],
  ['memory above all', '{ memory: 120% }', 'worker.memory', /no share/, /80%/],
  ['heartbeat too short', '{ heartbeat: 1s }', 'worker.heartbeat', /out of range/, /5s to 10m/],
  ['grace without unit', '{ grace: "30" }', 'worker.grace', /not a duration/, /30s/],
  ['health on no port', '{ health: localhost }', 'worker.health', /no address to listen on/, /host:port/],
  ['metrics nowhere', '{ metrics: {} }', 'worker.metrics', /names no place/, /prometheus/],
  [
    'metrics twice',
    '{ metrics: { prometheus: 127.0.0.1:1, otlp: http://a } }',
    'worker.metrics',
    /prometheus and otlp/,
  ],
  ['a collector of no address', '{ metrics: { otlp: 4317 } }', 'worker.metrics.otlp', /must be an address/],
  ['option mistyped', '{ slot: 1 }', 'worker.slot', /did you mean 'slots'/],
  ['a queue twice', '{ taskQueues: [a, a] }', 'worker.taskQueues[1]', /listed twice/],
]

describe('wrong', () => {
  it.each(codecs)('codec %s', async (_, text, where, what, advice = /./) => {
    for (const reading of [() => read(`codec: ${text}`), () => readCodec(path, { env: {} })]) {
      const problem = await problemOf(reading())
      expect(problem.where).toBe(`${path}:3 ${where}`)
      expect(problem.what).toMatch(what)
      expect(problem.advice ?? '-').toMatch(advice)
    }
  })

  it.each(workers)('worker: %s', async (_, text, where, what, advice = /./) => {
    const problem = await problemOf(read(`worker: ${text}`))
    expect(problem.where).toBe(`${path}:3 ${where}`)
    expect(problem.what).toMatch(what)
    expect(problem.advice ?? '-').toMatch(advice)
  })

  it('codec of the environment, without its text', async () => {
    const problem = await problemOf(readCodec(path, { env: { LAKEWARD_CODEC: '{"keys": {"k1": "canary"}}' } }))
    expect(problem.where).toBe('LAKEWARD_CODEC codec.keys.k1')
    expect(problem.what).toMatch(/plain text/)
  })
})
