import { chmod, mkdtemp, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { resolveSecret } from '../../connectors/secrets.ts'
import { stateKey, stateKeyPath } from '../../worker/state-key.ts'
import { directoryState } from '../../worker/installation-state.ts'
import { StateError } from '../../worker/state.ts'

const key = Buffer.alloc(32, 1)
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakeward-state-'))
})
const documents = async (folder = directory): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted()

describe('a document', () => {
  it('is read as it was written, and only its newest versions stay', async () => {
    const state = directoryState(directory, key)
    expect(await state.read('crm')).toEqual({ version: 0, value: null })
    for (let version = 0; version < 5; version++) expect(await state.write('crm', { version }, version)).toBe(true)
    expect(await state.read('crm')).toEqual({ version: 5, value: { version: 4 } })
    expect(await documents()).toEqual(['crm.00000004.json', 'crm.00000005.json'])
  })

  it('is not overwritten by whoever read an older version', async () => {
    const state = directoryState(directory, key)
    for (let version = 0; version < 4; version++) await state.write('crm', { by: 'one' }, version)
    for (const after of [0, 1, 2, 3]) expect(await state.write('crm', { by: 'late' }, after)).toBe(false)
    expect(await state.read('crm')).toEqual({ version: 4, value: { by: 'one' } })
  })

  it('goes to exactly one of many writers at once', async () => {
    const stores = Array.from({ length: 8 }, () => directoryState(directory, key))
    for (let after = 0; after < 10; after++) {
      const won = await Promise.all(stores.map((state, by) => state.write('crm', { by }, after)))
      expect(won.filter(Boolean)).toHaveLength(1)
      expect((await stores[0]!.read('crm')).value).toEqual({ by: won.indexOf(true) })
    }
  })

  it('counts every one of many increments', async () => {
    const count = async (): Promise<void> => {
      const state = directoryState(directory, key)
      for (let done = 0; done < 10;) {
        const { version, value } = await state.read('n')
        if (await state.write('n', { n: Number(value?.n ?? 0) + 1 }, version)) done++
      }
    }
    await Promise.all([count(), count(), count(), count()])
    expect(await directoryState(directory, key).read('n')).toEqual({ version: 40, value: { n: 40 } })
  })

  it('has a name of its own, whatever the file system thinks of case and slashes', async () => {
    const state = directoryState(directory, key)
    const names = ['crm', 'CRM', 'a/b', 'a.b', '..', 'ä*', 'crm.00000001.json']
    for (const name of names) await state.write(name, { name }, 0)
    for (const name of names) expect((await state.read(name)).value).toEqual({ name })
    const files = await documents()
    expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(names.length)
  })

  it('shows nothing on disk, to nobody else', async () => {
    const state = directoryState(join(directory, 'deeper'), key)
    await state.write('crm', { token: 'canary-secret-value' }, 0)
    const [file = ''] = await documents(join(directory, 'deeper'))
    const text = await readFile(join(directory, 'deeper', file), 'utf8')
    expect(text).not.toMatch(/canary|token/)
    expect(text).not.toContain(Buffer.from('canary-secret-value').toString('base64').slice(0, 12))
    expect((await stat(join(directory, 'deeper', file))).mode & 0o077).toBe(0)
    expect((await stat(join(directory, 'deeper'))).mode & 0o077).toBe(0)
  })
})

describe('what cannot be read', () => {
  it('is told as another key', async () => {
    await directoryState(directory, key).write('crm', { a: 1 }, 0)
    await expect(directoryState(directory, Buffer.alloc(32, 2)).read('crm')).rejects.toThrow(/written with another key/)
  })

  it.each([
    ['cut', (text: string) => text.slice(0, 40)],
    ['empty', () => ''],
    ['changed', (text: string) => text.replace(/"data":"./, '"data":"_')],
    ['another layout', (text: string) => text.replace('"lakeward":1', '"lakeward":9')],
  ])('is told as damaged: %s', async (_, spoil) => {
    await directoryState(directory, key).write('crm', { a: 1 }, 0)
    const path = join(directory, 'crm.00000001.json')
    await writeFile(path, spoil(await readFile(path, 'utf8')))
    const error = await directoryState(directory, key)
      .read('crm')
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StateError)
    expect(String(error)).toContain(path)
  })

  it('is a file of another document, or of the past', async () => {
    const state = directoryState(directory, key)
    await state.write('one', { a: 1 }, 0)
    await rename(join(directory, 'one.00000001.json'), join(directory, 'two.00000001.json'))
    await expect(state.read('two')).rejects.toThrow('moved here from another document')
    await state.write('three', { a: 1 }, 0)
    await rename(join(directory, 'three.00000001.json'), join(directory, 'three.00000009.json'))
    await expect(state.read('three')).rejects.toThrow(StateError)
  })
})

describe('the key', () => {
  it('is made once, for this user alone, however many ask', async () => {
    const env = { XDG_CONFIG_HOME: join(directory, 'config') }
    const keys = await Promise.all(Array.from({ length: 10 }, () => stateKey(env)))
    expect(new Set(keys.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1)
    expect(keys[0]).toHaveLength(32)
    expect(stateKeyPath(env)).toBe(join(directory, 'config', 'lakeward', 'state.key'))
    expect((await stat(stateKeyPath(env))).mode & 0o777).toBe(0o600)
    expect(await readdir(join(directory, 'config', 'lakeward'))).toEqual(['state.key'])
  })

  it.each([
    ['base64', key.toString('base64')],
    ['base64 without padding', key.toString('base64').replace('=', '')],
    ['hex', key.toString('hex')],
    ['hex with a newline', `${key.toString('hex')}\n`],
  ])('may come by the environment as %s', async (_, text) => {
    expect(Buffer.from(await stateKey({ LAKEWARD_STATE_KEY: text }))).toEqual(key)
  })

  it.each(['short', 'x'.repeat(64), key.toString('base64').slice(4)])('must be one: %s', async (text) => {
    const error = await stateKey({ LAKEWARD_STATE_KEY: text }).catch((thrown: unknown) => String(thrown))
    expect(error).toContain('32 bytes')
    expect(error).not.toContain(text)
  })

  it.skipIf(process.platform === 'win32')('must be hidden from other users', async () => {
    const env = { XDG_CONFIG_HOME: directory }
    await stateKey(env)
    await chmod(stateKeyPath(env), 0o644)
    await expect(stateKey(env)).rejects.toThrow('chmod 600')
  })
})

describe('references', () => {
  const where = 'connections.crm.auth.clientSecret'
  const options = () => ({ where, directory, env: { FULL: ' inner space ', EMPTY: '', BLANK: ' \n' } })

  it('are resolved', async () => {
    await writeFile(join(directory, 'secret'), '\uFEFFline 1\nline 2\r\n\n')
    expect(await resolveSecret({ env: 'FULL' }, options())).toBe(' inner space ')
    expect(await resolveSecret({ file: 'secret' }, options())).toBe('line 1\nline 2')
    expect(await resolveSecret({ file: join(directory, 'secret') }, options())).toBe('line 1\nline 2')
  })

  it.each([
    [{ env: 'NONE' }, 'NONE is not set'],
    [{ env: 'EMPTY' }, 'EMPTY is empty'],
    [{ env: 'BLANK' }, 'BLANK is empty'],
    [{ file: 'none' }, 'does not exist'],
    [{ file: '.' }, 'cannot be read (EISDIR)'],
    [{ file: 'blank' }, 'is empty'],
  ])('are missed with what, where and what to do: %j', async (ref, message) => {
    await writeFile(join(directory, 'blank'), '\n')
    const error = await resolveSecret(ref, options()).catch((thrown: unknown) => String(thrown))
    expect(error).toContain(message)
    expect(error).toContain(where)
  })
})
