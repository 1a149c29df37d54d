/** The files of a unit: what a thread gives is what the same code gives here, and what goes wrong in one is told. */
import { createHash, createSecretKey } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { fillFiles } from '../../activities/fill-files.ts'
import type { StoredRecipe } from '../../activities/recipe.ts'
import { openFiles } from '../../activities/unit-files.ts'
import type { UnitFiles } from '../../activities/unit-files.ts'
import { UnitPages } from '../../activities/unit-pages.ts'
import type { UnitWork } from '../../activities/unit-pages.ts'
import { UnitThreads } from '../../activities/unit-threads.ts'
import type { Field, Page } from '../../connectors/connector.ts'
import type { RunPlan } from '../../connectors/lake/protocol.ts'
import type { UnitWriter } from '../../connectors/lake/units.ts'

const threads = new UnitThreads({ threads: 2 })
afterAll(() => threads.close())

const fields: Field[] = [
  { name: 'Id', type: 'string', nullable: false },
  { name: 'Country', type: 'string', nullable: true },
  { name: 'Amount', type: 'decimal(18,2)', nullable: true },
  { name: 'SystemModstamp', type: 'timestamp', nullable: false },
]
const key = createSecretKey('a secret that no message holds', 'utf8')

function workOf(recipe: Partial<StoredRecipe> = {}, more: Partial<UnitWork> = {}): UnitWork {
  const whole = { where: null, transform: [], onInvalid: 'quarantine', partitionBy: [], op: false, ...recipe }
  const about = { format: 'parquet', layout: 'lakeward', folder: 'raw', fileSizeBytes: 1 << 30, runId: 'run' }
  return {
    lane: { flow: 'flow', object: 'Account' },
    plan: {
      run: 'run',
      source: { connection: 'crm', connector: 'salesforce', identity: 'I', object: 'Account' },
      sourceSchema: fields,
      outputSchema: fields,
      lookback: { ms: 1000, keys: ['Id'], cursorField: 'SystemModstamp' },
      delivery: { kind: 'table' },
    } as unknown as RunPlan,
    recipe: { ...about, runInstant: '2026-11-24T00:00:00Z', ...whole } as StoredRecipe,
    keys: new Map([['pii', key]]),
    lookback: { window: 0n, newest: 10n ** 18n, read: null, watermark: null },
    replay: null,
    ...more,
  }
}

/** `spoilt`: every so many records have no number where one is due. */
function bodyOf(from: number, rows: number, { countries = 3, spoilt = 0 } = {}): Uint8Array {
  const records = Array.from({ length: rows }, (_, i) => ({
    Id: `00${from + i}`,
    Country: `Ländchen ${(from + i) % countries}`,
    Amount: spoilt > 0 && i % spoilt === spoilt - 1 ? 'much' : (from + i) / 4,
    SystemModstamp: new Date(1.7e12 + from + i).toISOString(),
  }))
  return new Uint8Array(Buffer.from(JSON.stringify(records)))
}

function page(body: Uint8Array, next: number | null = null): Page {
  return { body, shape: { format: 'json', path: [] }, next, position: `before ${next}` }
}

interface Staged {
  name: string
  chunks: Uint8Array[]
  /** null: still open. */
  rows: number | null
}

/** A unit's writer that keeps everything here; `write` may wait or fail. */
function memory(write: (at: number) => Promise<void> = async () => {}) {
  const files: Staged[] = []
  let writes = 0
  const unit: UnitWriter = {
    id: 'unit',
    lane: { namespaceId: 'n', namespace: 'default', flow: 'flow', object: 'Account' },
    async file(folder, extension, { quarantine = false } = {}) {
      const file: Staged = { name: `${folder}.${extension}${quarantine ? ' quarantine' : ''}`, chunks: [], rows: null }
      files.push(file)
      return {
        key: file.name,
        async write(chunk) {
          await write(++writes)
          file.chunks.push(chunk)
        },
        async close(rows) {
          file.rows = rows
        },
      }
    },
    finish: () => Promise.reject(new Error('not here')),
    abandon: () => Promise.resolve(),
  }
  const result = () => files.map(({ name, rows, chunks }) => ({ name, rows, bytes: told(chunks) }))
  return { unit, files, result, writes: () => writes }
}

async function open(
  unit: UnitWriter,
  { keys, ...work }: UnitWork,
  { signal = new AbortController().signal, pool = threads } = {},
): Promise<UnitFiles> {
  return openFiles(pool, { ...work, unit, signal, key: async (name) => keys.get(name)! })
}

/** Length and hash. */
function told(chunks: Uint8Array[]): string {
  const bytes = Buffer.concat(chunks)
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`
}

/** The same work without a thread. */
function inline(work: UnitWork, bodies: Uint8Array[]) {
  const files: Staged[] = []
  const unit = new UnitPages(work)
  const outputs = [...bodies.flatMap((body) => [...unit.page(page(body), 1 << 30)]), ...unit.close()]
  for (const output of outputs) {
    if (output.kind === 'open') {
      const extension = output.quarantine ? 'jsonl quarantine' : work.recipe.format
      files[output.file] = { name: `${output.folder}.${extension}`, rows: null, chunks: [] }
    } else if (output.kind === 'close') files[output.file]!.rows = output.rows
    else files[output.file]!.chunks.push(...output.pieces)
  }
  return { files: files.map(({ name, rows, chunks }) => ({ name, rows, bytes: told(chunks) })), result: unit.result() }
}

describe('what a thread gives is what the same code gives here', () => {
  const partitionBy = [{ by: 'field' as const, field: 'Country' }]
  const hash = [{ hash: { fields: ['Id'], key: 'pii' } }] as unknown as StoredRecipe['transform']
  const bodies = [bodyOf(0, 3_000, { spoilt: 7 }), bodyOf(3_000, 10), bodyOf(2_990, 2_000)]

  it.each<[string, UnitWork, Uint8Array[]]>([
    ['of Parquet', workOf(), bodies],
    ['of JSON lines, by country, hashed', workOf({ format: 'jsonl', partitionBy, transform: hash }), bodies],
    [
      'of more partitions than may be open',
      workOf({ format: 'csv', partitionBy }),
      [bodyOf(0, 700, { countries: 90 })],
    ],
    ['of nothing', workOf(), [bodyOf(0, 0)]],
  ])('%s', async (_name, work, pages) => {
    const { unit, result } = memory()
    const files = await open(unit, work)
    for (const body of pages) await files.page(page(body.slice()))
    const closed = await files.close()
    const here = inline(work, pages)
    expect(result()).toEqual(here.files)
    expect(closed).toMatchObject(here.result)
  })

  it('of many units at once', async () => {
    const work = workOf({ format: 'jsonl' })
    const here = inline(work, bodies)
    const units = Array.from({ length: 9 }, async () => {
      const { unit, result } = memory()
      const files = await open(unit, work)
      for (const body of bodies) await files.page(page(body.slice()))
      await files.close()
      return result()
    })
    for (const found of await Promise.all(units)) expect(found).toEqual(here.files)
  })
})

describe('what goes wrong in a thread', () => {
  const fails = async (work: UnitWork, ...pages: Page[]): Promise<unknown> => {
    const files = await open(memory().unit, work)
    try {
      for (const one of pages) await files.page(one)
      return await files.close()
    } catch (error) {
      return error
    }
  }

  it('a page that is cut is an answer that was not understood', async () => {
    const cut = bodyOf(0, 2_000).slice(0, -40)
    const error = await fails(workOf(), page(bodyOf(0, 10)), page(cut))
    expect(error).toMatchObject({
      name: 'ConnectorError',
      kind: 'answer',
      message: expect.stringMatching(/read Account/),
    })
  })

  it('an invalid record is told by field and rule, without its value', async () => {
    const error = await fails(workOf({ onInvalid: 'fail' }), page(bodyOf(0, 20, { spoilt: 9 })))
    expect(error).toMatchObject({ type: 'RecordInvalid', nonRetryable: true })
    expect((error as Error).message).toMatch(/^Account: a record is invalid: field Amount, rule type: .*onInvalid/)
    expect((error as Error).message).not.toContain('much')
  })

  it('a mistake of ours keeps its name and its message', async () => {
    const error = await fails({ ...workOf(), keys: new Map() }, page(null as unknown as Uint8Array))
    expect(error).toBeInstanceOf(Error)
  })

  it('a thread that dies fails its units, which are tried again, and the next unit has another thread', async () => {
    const pool = new UnitThreads({ threads: 1, heapMb: 16 })
    const huge = Array.from({ length: 20_000 }, (_, i) => ({ Id: `${i}`, more: Array.from({ length: 40 }, () => i) }))
    try {
      const held = await Promise.all([open(memory().unit, workOf(), { pool }), open(memory().unit, workOf(), { pool })])
      for (const files of held) await files.page(page(bodyOf(0, 10)))
      const ended = held.map((files) => files.page({ ...page(bodyOf(0, 10)), body: huge, shape: { format: 'rows' } }))
      for (const one of await Promise.allSettled(ended)) {
        expect(one).toMatchObject({ status: 'rejected', reason: { type: 'ThreadLost', nonRetryable: false } })
      }
      const { unit, result } = memory()
      const files = await open(unit, workOf(), { pool })
      await files.page(page(bodyOf(0, 10)))
      await files.close()
      expect(result()).toMatchObject([{ rows: 10 }])
    } finally {
      await pool.close()
    }
  })
})

describe('pages are read ahead', () => {
  const rows = 400
  /** Pages that note when they are asked for; from `cut` on they cannot be read, from `missing` on they do not come. */
  function source({ cut = 6, missing = 6 } = {}) {
    const pages = 6
    const asked: number[] = []
    async function* read(from: number | null): AsyncGenerator<Page> {
      for (let at = from ?? 0; at < pages; at++) {
        asked.push(at)
        if (at >= missing) throw new Error('the vendor is away')
        const body = bodyOf(at * rows, rows)
        yield page(at >= cut ? body.slice(0, -9) : body, at + 1 < pages ? at + 1 : null)
      }
    }
    return { asked, read }
  }
  const filling = { threads, giveUp: () => {}, over: () => false, spent: async () => false, worked: () => {} }

  it('one page, while the one before is worked on', async () => {
    const { asked, read } = source()
    const { unit, result } = memory()
    const files = await open(unit, workOf({ format: 'jsonl' }))
    const when: string[] = []
    const worked = (done: Page): void => void when.push(`${Number(done.next ?? 6)} of ${asked.length}`)
    expect(await fillFiles(files, read(null), { ...filling, worked })).toMatchObject({ next: null })
    expect((await files.close()).counts).toMatchObject({ pages: 6, read: 6 * rows })
    expect(when).toEqual(['1 of 2', '2 of 3', '3 of 4', '4 of 5', '5 of 6', '6 of 6'])
    expect(result()).toMatchObject([{ rows: 6 * rows }])
  })

  it('and read again by the next unit, where this one ends before it', async () => {
    const { read } = source()
    let cursor: number | null = null
    const found: number[] = []
    for (let units = 0; units < 10; units++) {
      const { unit, files: staged } = memory()
      const files = await open(unit, workOf({ format: 'jsonl', fileSizeBytes: units % 2 === 0 ? 1 : 1 << 30 }))
      let over = 0
      const last = await fillFiles(files, read(cursor), { ...filling, over: () => ++over > 3 })
      await files.close()
      const lines = Buffer.concat(staged.flatMap(({ chunks }) => chunks))
        .toString()
        .trim()
        .split('\n')
      found.push(...lines.map((line) => Number((JSON.parse(line) as { Id: string }).Id)))
      cursor = last?.next as number | null
      if (cursor === null) break
    }
    expect(found).toEqual(Array.from({ length: 6 * rows }, (_, i) => i))
  })

  it('what is wrong with a page is told by the unit that takes it', async () => {
    const taken = async (from: ReturnType<typeof source>, fileSizeBytes: number) => {
      const files = await open(memory().unit, workOf({ format: 'jsonl', fileSizeBytes }))
      const ended = await fillFiles(files, from.read(null), filling).catch((error: Error) => error.message)
      await files.stop()
      return ended
    }
    expect(await taken(source({ cut: 1 }), 1 << 30)).toMatch(/\[salesforce\] read Account failed/)
    expect(await taken(source({ missing: 1 }), 1 << 30)).toBe('the vendor is away')
    expect(await taken(source({ missing: 1 }), 1)).toMatchObject({ next: 1 })
  })

  it('not at all while many pages are in hand', async () => {
    const { asked, read } = source()
    const files = await open(memory().unit, workOf())
    const room = threads.room(48 * 1024 * 1024)
    const when: number[] = []
    await fillFiles(files, read(null), { ...filling, worked: () => void when.push(asked.length) })
    room?.()
    await files.close()
    expect(when).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('a place that takes files slowly', () => {
  const MB = 1024 * 1024
  const body = bodyOf(0, 200_000)

  it('keeps a few megabytes waiting, whatever the page holds', async () => {
    let free = (): void => {}
    const stuck = new Promise<void>((resolve) => (free = resolve))
    let most = 0
    const pool = new UnitThreads({ threads: 1 })
    const { unit, files: staged } = memory(async () => stuck)
    const opened = await open(unit, workOf({ format: 'jsonl' }), { pool })
    const heard = pool.longestBlockMs()
    const worked = opened.page(page(body.slice()))
    const beside = await open(memory().unit, workOf(), { pool })
    // The thread has given all it may when another unit is worked on in it.
    await beside.page(page(bodyOf(0, 10)))
    most = opened.waiting
    expect(most).toBeGreaterThan(MB)
    expect(most).toBeLessThan(7 * MB)
    free()
    await worked
    await opened.close()
    await beside.close()
    expect(staged[0]!.chunks.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(15 * MB)
    expect(heard).toBeGreaterThanOrEqual(0)
    await pool.close()
  })

  it('keeps no unit from being cancelled in the middle of a page', async () => {
    const cancel = new AbortController()
    let write = (): void => {}
    const writing = new Promise<void>((resolve) => (write = resolve))
    let free = (): void => {}
    const stuck = new Promise<void>((resolve) => (free = resolve))
    const { unit, writes } = memory(async () => (write(), stuck))
    const files = await open(unit, workOf({ format: 'jsonl' }), { signal: cancel.signal })
    const page1 = files.page(page(body.slice()))
    await writing
    cancel.abort(new Error('cancelled by somebody'))
    await expect(page1).rejects.toThrow('cancelled by somebody')
    let stopped = false
    const stopping = files.stop().then(() => (stopped = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(stopped).toBe(false)
    free()
    await stopping
    expect(writes()).toBe(1)
    await expect(files.page(page(bodyOf(0, 1)))).rejects.toThrow('cancelled by somebody')
  })
})

it('what sinks may hold back is shared out among the units there are', async () => {
  const pool = new UnitThreads({ threads: 1 })
  const alone = await open(memory().unit, workOf(), { pool })
  const all = pool.mostHeld
  const others = await Promise.all([1, 2, 3].map(() => open(memory().unit, workOf(), { pool })))
  expect(pool.mostHeld).toBe(all / 4)
  for (const files of [alone, ...others]) await files.stop()
  expect(pool.mostHeld).toBe(all)
  const unit = new UnitPages(workOf())
  const outputs = [...unit.page(page(bodyOf(0, 5_000)), 0)]
  expect(outputs.filter(({ kind }) => kind === 'bytes').length).toBeGreaterThan(1)
  await pool.close()
})

it('a unit whose files fill memory before they can be sent is full', async () => {
  const heldBy = async (held: number): Promise<boolean> => {
    const { unit } = memory()
    const holding = {
      ...unit,
      file: async (...named: Parameters<UnitWriter['file']>) => ({ ...(await unit.file(...named)), held }),
    }
    const files = await open(holding, workOf({ format: 'jsonl', partitionBy: [{ by: 'field', field: 'Country' }] }))
    await files.page(page(bodyOf(0, 100, { countries: 64 })))
    const full = files.isFullWith(0)
    await files.stop()
    return full
  }
  expect(await heldBy(threads.mostUnsent / 128)).toBe(false)
  expect(await heldBy(threads.mostUnsent / 32)).toBe(true)
})
