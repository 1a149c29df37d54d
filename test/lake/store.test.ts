import { mkdtemp, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { nodeFileSystem } from '../../connectors/lake/file/file-system.ts'
import { storeConformance } from '../conformance/store.ts'
import { MemoryPlace, memoryStore } from './memory-store.ts'

storeConformance(
  { describe, it },
  {
    name: 'a directory',
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'lakeward-store-'))
      return {
        store: fileStore(directory),
        other: fileStore(directory),
        loseStaged: (file) => unlink(join(directory, file.upload)),
        close: () => rm(directory, { recursive: true }),
      }
    },
  },
)

storeConformance(
  { describe, it },
  {
    name: 'the memory of these tests',
    async open() {
      const place = new MemoryPlace()
      return {
        store: memoryStore(place),
        other: memoryStore(place),
        loseStaged: async (file) => void place.uploads.delete(file.upload),
        close: async () => {},
      }
    },
  },
)

describe('a directory that cannot be a lake', () => {
  const failing = (code: string) => async () => {
    throw Object.assign(new Error(`${code}: not here`), { code })
  }
  const inFolder = async (work: (directory: string) => Promise<void>): Promise<void> => {
    const directory = await mkdtemp(join(tmpdir(), 'lakeward-store-'))
    try {
      await work(directory)
    } finally {
      await rm(directory, { recursive: true })
    }
  }

  it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP'])('says so where there are no hard links (%s)', async (code) => {
    await inFolder(async (directory) => {
      const store = fileStore(directory, { fs: { ...nodeFileSystem, link: failing(code) } })
      const creating = store.create('_lakeward/lake.json', new Uint8Array(1))
      await expect(creating).rejects.toMatchObject({ name: 'LakeError', type: 'LakeUnusable' })
      await expect(creating).rejects.toThrow(/hard links.*doctor/s)
      expect(await store.get('_lakeward/lake.json')).toBeNull()
    })
  })

  it('says so where a folder is on another device', async () => {
    await inFolder(async (directory) => {
      const store = fileStore(directory, { fs: { ...nodeFileSystem, rename: failing('EXDEV') } })
      const writer = await store.stage({ key: 'data/a', area: '_lakeward/f/o/staged/r', unit: 'u' })
      const file = await writer.close()
      await expect(store.complete(file)).rejects.toMatchObject({ type: 'LakeUnusable' })
    })
  })

  it('does not take another file of the same name for its own', async () => {
    await inFolder(async (directory) => {
      const store = fileStore(directory)
      const writer = await store.stage({ key: 'data/a', area: '_lakeward/f/o/staged/r', unit: 'u' })
      await writer.write(new Uint8Array(3))
      const file = await writer.close()
      await store.complete(file)
      await store.delete('data/a')
      await store.create('data/a', new Uint8Array(5))
      await expect(store.complete(file)).rejects.toMatchObject({ type: 'LedgerDamaged' })
      await expect(store.complete(file)).rejects.toThrow(/repair/)
    })
  })

  it('knows a staged file that was cut', async () => {
    await inFolder(async (directory) => {
      const store = fileStore(directory)
      const writer = await store.stage({ key: 'data/a', area: '_lakeward/f/o/staged/r', unit: 'u' })
      await writer.write(new Uint8Array(3))
      const file = await writer.close()
      expect(await store.complete({ ...file, bytes: 4 })).toBe('lost')
    })
  })

  it.each(['../out', 'a//b', '/a', 'a/./b', ''])('refuses the key %j', async (key) => {
    await inFolder(async (directory) => {
      await expect(fileStore(directory).get(key)).rejects.toThrow(/is no key/)
    })
  })
})
