/** Histories of a login that many workers share: a fixed sample; `npm run faults:simulate -- --of login` plays more. */
import { writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { failureText } from './failure-text.ts'
import { simulateLogin } from './login-world.ts'

const wanted = Number(process.env['LAKEWARD_INTERLEAVINGS'] ?? 12_000)

/** Histories that failed once, by their seed, and what was mended since. */
const FAILED: { seed: number; mended: string }[] = [
  { seed: 206, mended: 'a worker that woke up stored its login over one that had come of it' },
]

describe('workers that share a rotating login', () => {
  it('never ask at once, never send a used token for nothing, and lose nothing that arrived', async () => {
    let [interleavings, troubles, histories] = [0, 0, 0]
    for (let seed = 1; interleavings < wanted; seed++, histories++) {
      const history = await simulateLogin(seed)
      if (history.problem !== null) {
        throw new Error(await failureText(seed, history, (tape) => simulateLogin(seed, { tape })))
      }
      interleavings += history.interleavings
      troubles += history.troubles
    }
    expect(troubles).toBeGreaterThan(histories * 2)
    writeSync(1, `simulated: ${histories} histories, ${interleavings} interleavings, ${troubles} troubles\n`)
  })

  it('go the same way again by the same seed, and by its tape', async () => {
    const [one, two] = [await simulateLogin(5), await simulateLogin(5)]
    expect(one.troubles).toBeGreaterThan(0)
    expect(two.log).toEqual(one.log)
    expect((await simulateLogin(5, { tape: one.tape })).log).toEqual(one.log)
  })

  it.each(FAILED)('no longer fail by seed $seed: $mended', async ({ seed }) => {
    expect((await simulateLogin(seed)).problem).toBeNull()
  })
})
