/** What a source must read: everything once, in order, from any cursor, run after run. */
import { flat, must, sameRecords } from './expect.ts'
import { filterCase } from './filter-case.ts'
import { type Got, type Reader, SETTLE_MS } from './reading.ts'

export type Case = (reader: Reader) => Promise<void>

const HOUR = 3_600_000
const iso = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString()

export const readingCases = {
  'identity is one text, the same every time': async (reader) => {
    const [one, two] = [
      await reader.connector.identity(await reader.session()),
      await reader.connector.identity(await reader.session()),
    ]
    must(typeof one === 'string' && one !== '', 'the identity is empty')
    must(one === two, `the identity is ${one}, then ${two}`)
  },

  'objects are listed, this one among them': async (reader) => {
    const names: string[] = []
    for await (const { name, unreadable } of reader.source.objects(await reader.session())) {
      names.push(name)
      must(
        name !== reader.harness.object || unreadable === undefined,
        `${name} is said to be unreadable: ${unreadable}`,
      )
    }
    must(names.includes(reader.harness.object), `${reader.harness.object} is not listed`)
    must(new Set(names).size === names.length, 'an object is listed twice')
  },

  'the schema is whole and the same every time': async (reader) => {
    const schema = await reader.describe()
    must(JSON.stringify(await reader.describe()) === JSON.stringify(schema), 'two descriptions differ')
    const names = schema.fields.map(({ name }) => name)
    must(new Set(names).size === names.length, 'a field is there twice')
    for (const key of [...schema.keys, ...schema.cursors]) must(names.includes(key), `${key} is no field`)
    for (const { name, type } of schema.fields) must(TYPES.test(type), `${name} is of no known type: ${type}`)
    for (const cursor of schema.cursors) {
      const type = schema.fields.find(({ name }) => name === cursor)?.type
      must(type === 'timestamp', `the cursor field ${cursor} is of type ${type}`)
    }
  },

  'every value is the true one': async (reader) => {
    const plan = await reader.plan()
    sameRecords(flat(await reader.read(plan)), await reader.expected(plan), 'a first run')
  },

  'the order is that of the plan, across pages': async (reader) => {
    const plan = await reader.plan()
    const pages = await reader.read(plan)
    must(pages.length >= 3, `there are only ${pages.length} pages: the object is too small for this suite`)
    if (plan.order !== 'stamp') return
    const records = flat(pages)
    records.forEach((one, at) => {
      const before = records[at - 1]
      if (!before) return
      const way = Date.parse(one.stamp!) - Date.parse(before.stamp!) || (one.key > before.key ? 1 : -1)
      must(way > 0, `${one.key} at ${one.stamp} comes after ${before.key} at ${before.stamp}`)
    })
  },

  'ties: more records of one stamp than a page holds': async (reader) => {
    const plan = await reader.plan()
    const pages = await reader.read(plan)
    const expected = await reader.expected(plan)
    const [stamp, tied] = most(expected)
    const largest = Math.max(...pages.map((page) => page.records.length))
    must(tied.length > largest, `only ${tied.length} records share a stamp, and a page holds ${largest}`)
    sameRecords(
      flat(pages).filter((one) => one.stamp === stamp),
      tied,
      `the records of ${stamp}`,
    )
  },

  'resume: every cursor gives exactly the rest': async (reader) => {
    const plan = await reader.plan()
    for (const range of plan.ranges) {
      const pages = []
      for await (const page of reader.pages(plan, range, null)) pages.push(page)
      for (const [at, { next }] of pages.entries()) {
        if (next === null) {
          must(at === pages.length - 1, `page ${at + 1} of ${pages.length} says it is the last`)
          continue
        }
        const rest = []
        for await (const page of reader.pages(plan, range, next)) rest.push(page)
        sameRecords(flat(rest), flat(pages.slice(at + 1)), `from the cursor of page ${at + 1}`)
      }
      must(pages.at(-1)?.next === null, 'the last page has a cursor')
    }
  },

  'a plan stays as it is, whatever happens to the source': async (reader) => {
    const plan = await reader.plan()
    const first = flat(await reader.read(plan))
    const keys = await reader.harness.insert(5, iso(reader.harness.now()))
    await reader.harness.advance(HOUR)
    const again = flat(await reader.read(plan))
    sameRecords(again, first, 'the same plan an hour and five records later')
    must(!again.some(({ key }) => keys.includes(key)), 'a record that is younger than the bound came')
    const ids = plan.ranges.map(({ id }) => id)
    must(
      new Set(ids).size === ids.length && ids.every((id) => /^[a-z0-9-]{1,40}$/.test(id)),
      `range ids: ${ids.join()}`,
    )
  },

  'the bound is behind the source\u2019s own clock': async (reader) => {
    const { harness, source } = reader
    const plan = await reader.plan()
    must(plan.bound !== null, 'the plan has no bound')
    const behind = harness.now() - Date.parse(plan.bound!)
    must(
      behind >= SETTLE_MS - 2000 && behind < SETTLE_MS + 30_000,
      `the bound is ${behind} ms behind, not ${SETTLE_MS}`,
    )
    must(Date.parse(plan.bound!) % (source.stampMs ?? 1) === 0, `the bound ${plan.bound} is finer than the stamps`)
    const ceiling = harness.now() - HOUR
    const early = await reader.plan({ ceiling })
    must(Date.parse(early.bound!) <= ceiling, `a ceiling of ${iso(ceiling)} gave the bound ${early.bound}`)
    await harness.advance(HOUR)
    const later = await reader.plan()
    must(
      Date.parse(later.bound!) - Date.parse(plan.bound!) >= HOUR,
      'the bound does not follow the source\u2019s clock',
    )
  },

  'the count is that of the window': async (reader) => {
    const plan = await reader.plan()
    must(reader.source.count !== undefined, 'the source does not count: waive this case')
    const read = flat(await reader.read(plan)).length
    must(plan.counted === read, `the plan counted ${plan.counted}, and ${read} came`)
    const now = await reader.source.count!(await reader.session(), plan)
    must(now === read, `the source counts ${now}, and ${read} came`)
  },

  'a second run brings what changed, and nothing else': async (reader) => {
    const first = await reader.plan()
    // On the bound itself: of the second run, and not of both.
    const made = await reader.harness.insert(2, first.bound!)
    const before = flat(await reader.read(first))
    sameRecords(before, await reader.expected(first), 'the first run')
    const now = reader.harness.now()
    const changed = [before[0]!.key, before.at(-1)!.key]
    await reader.harness.update(changed, iso(now))
    made.push(...(await reader.harness.insert(3, iso(now))))
    await reader.harness.advance(HOUR)
    const second = await reader.plan({ from: first.bound! })
    const got = flat(await reader.read(second))
    sameRecords(got, await reader.expected(second), 'the second run')
    const due = new Set([...changed, ...made])
    must(
      got.length === due.size && got.every(({ key }) => due.has(key)),
      `${got.length} records came, ${due.size} were due`,
    )
  },

  'late records are neither lost nor doubled': async (reader) => {
    const { harness } = reader
    const stamp = iso(harness.now() - SETTLE_MS / 2)
    const late = await harness.insertLate(4, stamp)
    const early = await harness.insert(2, iso(harness.now() - SETTLE_MS / 4))
    const first = await reader.plan()
    const before = flat(await reader.read(first))
    await late.show()
    await harness.advance(HOUR)
    const second = await reader.plan({ from: first.bound! })
    const after = flat(await reader.read(second))
    const both = await reader.plan()
    sameRecords([...before, ...after], await reader.expected(both), 'both runs together')
    for (const key of [...late.keys, ...early])
      must(
        after.some((one) => one.key === key),
        `${key} did not come`,
      )
  },

  'a window holds from \u2264 stamp < to': async (reader) => {
    const all = await reader.expected(await reader.plan())
    const stamps = all.map(({ stamp }) => stamp!).toSorted((a, b) => Date.parse(a) - Date.parse(b))
    const [from, to] = [stamps[Math.floor(stamps.length / 4)]!, stamps[Math.floor((stamps.length * 9) / 10)]!]
    const plan = await reader.plan({ mode: 'window', from, to })
    const got = flat(await reader.read(plan))
    const due = all.filter(({ stamp }) => Date.parse(stamp!) >= Date.parse(from) && Date.parse(stamp!) < Date.parse(to))
    must(due.length > 0, 'the window is empty')
    sameRecords(got, due, `${from} to ${to}`)
  },

  'a full read is everything': async (reader) => {
    const plan = await reader.plan({ mode: 'full' })
    sameRecords(flat(await reader.read(plan)), await reader.expected(plan), 'a full read')
  },

  'deleted records come as deletes, where they are asked for': async (reader) => {
    const { harness } = reader
    const schema = await reader.schema()
    must(schema.deletes, 'the source does not show deletes: waive this case')
    const silent = flat(await reader.read(await reader.plan()))
    must(
      silent.every(({ deleted }) => !deleted),
      'a deleted record came unasked',
    )
    const first = await reader.plan({ includeDeleted: true })
    const before = flat(await reader.read(first))
    sameRecords(before, await reader.expected(first, true), 'with deleted records')
    must(
      before.some(({ deleted }) => deleted),
      'there is no deleted record to begin with',
    )
    const gone = before
      .filter(({ deleted }) => !deleted)
      .slice(0, 2)
      .map(({ key }) => key)
    await harness.remove(gone, iso(harness.now()))
    await harness.advance(HOUR)
    const after = flat(await reader.read(await reader.plan({ includeDeleted: true, from: first.bound! })))
    must(
      after.every(({ deleted }) => deleted),
      'a deleted record came as if it were alive',
    )
    must(
      after.length === 2 && after.every(({ key }) => gone.includes(key)),
      `${after.length} records came, 2 were deleted`,
    )
  },

  'a filter that is pushed down leaves out nothing that ours lets through': filterCase,
} satisfies Record<string, Case>

const TYPES = /^(string|boolean|int32|int64|float64|decimal\(\d+,\d+\)|date|time|timestamp|binary|json)$/

function most(records: Got[]): [stamp: string | null, tied: Got[]] {
  const byStamp = grouped(records)
  return [...byStamp].reduce((a, b) => (b[1].length > a[1].length ? b : a))
}

function grouped(records: Got[]): Map<string | null, Got[]> {
  const groups = new Map<string | null, Got[]>()
  for (const one of records) groups.set(one.stamp, [...(groups.get(one.stamp) ?? []), one])
  return groups
}
