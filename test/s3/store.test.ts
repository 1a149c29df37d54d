import { afterAll, describe, expect, it } from 'vitest'
import { storeConformance } from '../conformance/store.ts'
import { orSkip } from '../components.ts'
import { startTestMoto } from '../s3-servers.ts'
import { describeOnS3, s3Harness } from './s3-place.ts'

describeOnS3('a bucket', (server) => {
  storeConformance({ describe, it }, { name: 'a bucket', open: () => s3Harness(server) })
})

// versitygw, as S3 for a while, says yes to a completion that comes again, and looks at no object.
const moto = await orSkip(startTestMoto(), 'completions that are refused')
afterAll(() => moto?.stop())

describe.skipIf(!moto)('a completion that is refused', () => {
  it.each(['of that size', 'longer'])('does not take what others wrote for the staged file: %s', async (what) => {
    const { store } = await s3Harness(moto!)
    const writer = await store.stage({ area: 'area', key: 'data/one', unit: 'unit-1' })
    await writer.write(Buffer.from('ours'))
    const file = await writer.close()
    expect(await store.complete(file)).toBe('done')
    expect(await store.complete(file)).toBe('done')
    await store.put('data/one', Buffer.from(what === 'longer' ? 'theirs' : 'them'))
    await expect(store.complete(file)).rejects.toThrow(/the ledger says 4 of unit-1/)
  })
})
