import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeOnce } from '../../worker/make-once.ts'

let folder: string
let target: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeward-once-'))
  target = join(folder, 'thing')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const good = (path: string): Promise<boolean> =>
  readFile(path, 'utf8').then(
    (text) => text === 'whole',
    () => false,
  )
const log = (): void => {}

it('makes the file under another name, so that nobody sees half of it, and leaves nothing else', async () => {
  const make = async (path: string): Promise<void> => {
    await writeFile(path, 'half')
    expect(await readdir(folder)).not.toContain('thing')
    await writeFile(path, 'whole')
  }
  await makeOnce({ target, log, good, make })
  expect(await readdir(folder)).toEqual(['thing'])
  expect((await stat(target)).mode & 0o111).toBe(0o111)
})

it('makes it once for many who ask at the same time', async () => {
  let made = 0
  const said: string[] = []
  const make = async (path: string): Promise<void> => {
    made++
    await sleep(100)
    await writeFile(path, 'whole')
  }
  const ask = (): Promise<void> => makeOnce({ target, log: (line) => void said.push(line), good, make, pollMs: 10 })
  await Promise.all([ask(), ask(), ask()])
  expect(made).toBe(1)
  expect(said).toEqual(Array(2).fill(`another process is making ${target}; waiting for it`))
})

it('lets the next one try when a maker fails, and keeps no draft', async () => {
  const failing = makeOnce({ target, log, good, make: () => Promise.reject(new Error('no space')) })
  await expect(failing).rejects.toThrow('no space')
  const wrong = makeOnce({ target, log, good, make: (path) => writeFile(path, 'half') })
  await expect(wrong).rejects.toThrow('what was made does not run')
  expect(await readdir(folder)).toEqual([])
  await makeOnce({ target, log, good, make: (path) => writeFile(path, 'whole') })
  expect(await good(target)).toBe(true)
})

it('takes over the lock of a maker that was killed, and sweeps its draft after a day', async () => {
  await writeFile(`${target}.lock`, '4194304')
  await writeFile(`${target}.4194304.draft`, 'half')
  const yesterday = new Date(Date.now() - 2 * 86_400_000)
  await utimes(`${target}.lock`, yesterday, yesterday)
  await utimes(`${target}.4194304.draft`, yesterday, yesterday)
  await makeOnce({ target, log, good, make: (path) => writeFile(path, 'whole'), pollMs: 10 })
  expect(await readdir(folder)).toEqual(['thing'])
})

it('does not take over a lock that is renewed', async () => {
  let made = 0
  const make = async (path: string): Promise<void> => {
    made++
    await sleep(600)
    await writeFile(path, 'whole')
  }
  const ask = (): Promise<void> => makeOnce({ target, log, good, make, forsakenMs: 200, pollMs: 20 })
  await Promise.all([ask(), ask()])
  expect(made).toBe(1)
})
