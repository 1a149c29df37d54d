import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../connectors/errors.ts'
import { cacheFolder, type Way } from '../../worker/find-binary.ts'
import { goProblem } from '../../worker/go-build.ts'
import { binaryProblem, findTemporalCli, TEMPORAL_VERSION } from '../../worker/temporal-binary.ts'
import { configuredServer } from '../../worker/temporal-server.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeward-binary-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const SAYS = 'temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)'

async function fake(path: string, says = SAYS): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, `#!/bin/sh\necho "${says}"\n`)
  await chmod(path, 0o755)
  return path
}
const problemsOf = async (finding: Promise<string>): Promise<string> =>
  finding.then(
    (path) => `found ${path}`,
    (error: unknown) => (error instanceof InputError ? error.message : `not an InputError: ${String(error)}`),
  )
/** An environment in which nothing is to be found. */
const bare = (name: string): NodeJS.ProcessEnv => ({
  PATH: join(folder, name, 'empty'),
  LAKEWARD_CACHE: join(folder, name, 'cache'),
})
const closedWay: Way = { advice: 'open the way', closed: async () => 'it is closed', make: async () => {} }

describe('the temporal binary is found', () => {
  it('where TEMPORAL_CLI_PATH says, before PATH', async () => {
    const named = await fake(join(folder, 'a', 'my-temporal'))
    await fake(join(folder, 'a', 'path', 'temporal'))
    expect(
      await findTemporalCli({ env: { ...bare('a'), PATH: join(folder, 'a', 'path'), TEMPORAL_CLI_PATH: named } }),
    ).toBe(named)
  })

  it('never elsewhere when TEMPORAL_CLI_PATH is wrong', async () => {
    const found = await fake(join(folder, 'b', 'path', 'temporal'))
    const env = { ...bare('b'), PATH: join(found, '..'), TEMPORAL_CLI_PATH: join(folder, 'b', 'nothing') }
    const said = await problemsOf(findTemporalCli({ env }))
    expect(said).toMatch(/^TEMPORAL_CLI_PATH=.*nothing: no executable file is there\n {2}Point it to/)
  })

  it('on PATH, passing over a program of the same name and a server that is too old', async () => {
    await fake(join(folder, 'c', 'one', 'temporal'), 'temporal 9 the clock')
    await fake(join(folder, 'c', 'two', 'temporal'), 'temporal version 1.0.0 (Server 1.24.1, UI 2.27.2)')
    const right = await fake(join(folder, 'c', 'three', 'temporal'))
    const path = ['one', 'two', 'three', 'none'].map((name) => join(folder, 'c', name))
    expect(await findTemporalCli({ env: { ...bare('c'), PATH: path.join(':') } })).toBe(right)
    const old = await problemsOf(findTemporalCli({ env: { ...bare('c'), PATH: path[1] }, ways: [closedWay] }))
    expect(old).toContain('its server is 1.24, and 1.27 is the least')
  })

  it('in the cache', async () => {
    const env = bare('d')
    const cached = await fake(join(cacheFolder(env), `temporal-${TEMPORAL_VERSION}`))
    expect(await findTemporalCli({ env, ways: [closedWay] })).toBe(cached)
  })

  it('made by the first way that works, once, with a word about it', async () => {
    const env = bare('e')
    const lines: string[] = []
    let made = 0
    const ways: Way[] = [
      closedWay,
      {
        advice: 'x',
        closed: async () => null,
        make: async () => {
          throw new Error('offline')
        },
      },
      {
        advice: 'y',
        closed: async () => null,
        make: async (target, log) => {
          made++
          log('making')
          await fake(target)
        },
      },
    ]
    const options = { env, ways, log: (line: string) => void lines.push(line) }
    const [first, second] = await Promise.all([findTemporalCli(options), findTemporalCli(options)])
    expect(second).toBe(first)
    expect(await findTemporalCli(options)).toBe(first)
    expect(made).toBe(1)
    expect(lines).toContain('making')
    expect(await readFile(first ?? '', 'utf8')).toContain(SAYS)
  })

  it('by nothing: then the error has one line for each way', async () => {
    const failing: Way = {
      advice: 'let it be downloaded',
      closed: async () => null,
      make: async () => {
        throw new Error('no route to host')
      },
    }
    const said = await problemsOf(findTemporalCli({ env: bare('f'), ways: [failing, closedWay], log: () => {} }))
    expect(said.split('\n')).toEqual([
      'Temporal: there is no Temporal server, and no way to make one worked',
      '  Any one of these is enough:',
      '  - use a running server: TEMPORAL_ADDRESS=host:7233 or TEMPORAL_PROFILE=name',
      '  - name the binary: TEMPORAL_CLI_PATH=/path/to/temporal (not set)',
      '  - put `temporal` on PATH: https://docs.temporal.io/cli/setup-cli (none there)',
      '  - let it be downloaded (no route to host)',
      '  - open the way (it is closed)',
    ])
  })

  it('not by Go where there is none, or an old one', async () => {
    expect(await goProblem(bare('g'))).toBe('go is not on PATH')
    const env = { PATH: `${join(folder, 'g')}:/usr/bin:/bin` }
    await fake(join(folder, 'g', 'go'), 'go version go1.19.8 linux/amd64')
    expect(await goProblem(env)).toBe('1.19 is installed')
    await fake(join(folder, 'g', 'go'), 'go version go1.21.0 linux/amd64')
    expect(await goProblem(env)).toBeNull()
  })

  it('with a reason when a file is not it', async () => {
    expect(await binaryProblem(join(folder, 'none'))).toBe('no executable file is there')
    const broken = join(folder, 'broken')
    await writeFile(broken, '#!/bin/sh\nexit 3\n')
    await chmod(broken, 0o755)
    expect(await binaryProblem(broken)).toMatch(/^it does not run: /)
  })
})

describe('a configured server', () => {
  const none = { TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml' }

  it('is none without address and profile', () => {
    expect(configuredServer({})).toBeNull()
    expect(configuredServer({ ...none, TEMPORAL_NAMESPACE: 'x' })).toBeNull()
  })

  it('is taken from the environment, with namespace, TLS and API key', () => {
    const env = {
      ...none,
      TEMPORAL_ADDRESS: 'acme.tmprl.cloud:7233',
      TEMPORAL_NAMESPACE: 'acme.prod',
      TEMPORAL_API_KEY: 'k',
    }
    const server = configuredServer(env)
    expect(server).toMatchObject({ namespace: 'acme.prod', from: 'TEMPORAL_ADDRESS' })
    expect(server?.connectionOptions).toMatchObject({ address: 'acme.tmprl.cloud:7233', apiKey: 'k', tls: true })
  })

  it('is taken from a profile', async () => {
    const file = join(folder, 'temporal.toml')
    await writeFile(
      file,
      '[profile.default]\naddress = "127.0.0.1:9"\n[profile.prod]\naddress = "p:1"\nnamespace = "n"\n',
    )
    expect(configuredServer({ TEMPORAL_CONFIG_FILE: file })).toMatchObject({
      from: 'profile default',
      namespace: 'default',
    })
    const prod = configuredServer({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' })
    expect(prod).toMatchObject({ from: 'profile prod', namespace: 'n', connectionOptions: { address: 'p:1' } })
    expect(() => configuredServer({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prud' })).toThrow(InputError)
  })
})
