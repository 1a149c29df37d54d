/** How many requests are in flight: never more than are allowed, fewer after a refusal, and bit by bit more again. */
import { expect, it } from 'vitest'
import { Pace } from '../../connectors/pace.ts'

const never = new AbortController().signal

/** Enters as often as it can without waiting. */
async function fill(pace: Pace): Promise<number> {
  let entered = 0
  for (let i = 0; i < 100; i++) void pace.enter(never).then(() => entered++)
  await new Promise((resolve) => setImmediate(resolve))
  return entered
}

it('lets in as many as are allowed, and the next ones in order', async () => {
  const pace = new Pace(3)
  expect(await fill(pace)).toBe(3)
  const order: number[] = []
  const other = new Pace(1)
  await other.enter(never)
  for (const i of [1, 2, 3]) void other.enter(never).then(() => order.push(i))
  for (const so of [[1], [1, 2], [1, 2, 3]]) {
    other.leave()
    await new Promise((resolve) => setImmediate(resolve))
    expect(order).toEqual(so)
  }
})

it('halves once for refusals that come together, down to one, and grows again by what goes well', () => {
  let now = 0
  const pace = new Pace(16, () => now)
  expect([pace.refused(), pace.refused(), pace.refused()]).toEqual([true, false, false])
  expect(pace.allowed).toBe(8)
  for (let i = 0; i < 10; i++) {
    now += 1_000
    pace.refused()
  }
  expect(pace.allowed).toBe(1)
  expect(pace.refused()).toBe(false)
  for (let i = 0; i < 6; i++) pace.went()
  expect(pace.allowed).toBe(2)
  for (let i = 0; i < 20; i++) pace.went()
  expect(pace.allowed).toBeLessThan(5)
  for (let i = 0; i < 1_000; i++) pace.went()
  expect(pace.allowed).toBe(16)
})

it('what was in flight when it halved may end; only then the next one goes', async () => {
  const pace = new Pace(4)
  expect(await fill(pace)).toBe(4)
  pace.refused()
  let entered = 0
  const waiting = pace.enter(never).then(() => entered++)
  pace.leave()
  pace.leave()
  await new Promise((resolve) => setImmediate(resolve))
  expect(entered).toBe(0)
  void waiting
})

it('who is cancelled while it waits gives its place up', async () => {
  const pace = new Pace(1)
  await pace.enter(never)
  const gone = new AbortController()
  const cancelled = pace.enter(gone.signal)
  const next = pace.enter(never)
  gone.abort(new Error('cancelled'))
  await expect(cancelled).rejects.toThrow('cancelled')
  pace.leave()
  await next
})
