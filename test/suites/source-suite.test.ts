/** The suite itself: a right source passes all of it, and each wrong one fails where it is wrong. */
import { describe, expect, it } from 'vitest'
import { sourceCases, sourceConformance, type SourceCase } from '../conformance/index.ts'
import type { Row, Source } from '../../connectors/connector.ts'
import { Unmet } from '../conformance/expect.ts'
import { runSourceCase } from '../conformance/source.ts'
import { scriptedConnector, type SourceFlaws } from './scripted-source.ts'
import { openScripted, type SessionFlaws } from './scripted-system.ts'

sourceConformance(
  { describe, it },
  { name: 'A made-up system', connector: scriptedConnector(), open: async () => openScripted() },
)

const NAMES = Object.keys(sourceCases) as SourceCase[]

function running(name: SourceCase, source: SourceFlaws, session: SessionFlaws): Promise<void> {
  const suite = { name: 'x', connector: scriptedConnector(source), open: async () => openScripted(session) }
  return runSourceCase(name, suite)
}

const SOURCE: [keyof SourceFlaws, SourceCase][] = [
  ['emptyIsEnd', 'an empty page is not the end'],
  ['missesRepeats', 'a repeated cursor is an error'],
  ['htmlIsEmpty', 'a page for people instead of records is an error'],
  ['takesHalf', 'half a body that looks whole is an error'],
  ['ordersByStampAlone', 'ties: more records of one stamp than a page holds'],
  ['resumesTooLate', 'resume: every cursor gives exactly the rest'],
  ['resumesTooEarly', 'resume: every cursor gives exactly the rest'],
  ['endsWithCursor', 'resume: every cursor gives exactly the rest'],
  ['neverSettles', 'late records are neither lost nor doubled'],
  ['includesBound', 'a second run brings what changed, and nothing else'],
  ['excludesFrom', 'a second run brings what changed, and nothing else'],
  ['ignoresWindow', 'a window holds from ≤ stamp < to'],
  ['hidesDeletes', 'deleted records come as deletes, where they are asked for'],
  ['showsDeletesAlways', 'deleted records come as deletes, where they are asked for'],
  ['deletesAsUpserts', 'deleted records come as deletes, where they are asked for'],
  ['readsBeyondPlan', 'a plan stays as it is, whatever happens to the source'],
  ['badRange', 'a plan stays as it is, whatever happens to the source'],
  ['countsWrong', 'the count is that of the window'],
  ['countsLater', 'the count is that of the window'],
  ['roundsNumbers', 'every value is the true one'],
  ['emptyTextIsNull', 'every value is the true one'],
  ['dropsNullsByNe', 'a filter that is pushed down leaves out nothing that ours lets through'],
  ['pushesInSecret', 'a filter that is pushed down leaves out nothing that ours lets through'],
  ['ourClock', 'the bound is behind the source’s own clock'],
  ['ignoresCeiling', 'the bound is behind the source’s own clock'],
  ['fullByWindow', 'a full read is everything'],
  ['changesIdentity', 'identity is one text, the same every time'],
  ['changesSchema', 'the schema is whole and the same every time'],
  ['unlisted', 'objects are listed, this one among them'],
]

const SESSION: [keyof SessionFlaws, SourceCase][] = [
  ['showsExpired', 'a token that ends in mid-read is renewed'],
  ['hidesWait', 'throttled without a word: waits by itself'],
  ['ignoresRetryAfter', 'throttled with Retry-After: waits as long'],
  ['emptyWhenUnavailable', 'unavailable for longer: fails as transient'],
  ['givesUpAtOnce', 'unavailable for a moment: reads on'],
  ['givesUpAtOnce', 'a body that breaks off is read again'],
  ['acceptsCut', 'a body that breaks off is read again'],
  ['ignoresAbort', 'an abort ends a read that waits for its answer'],
]

describe('a source that', () => {
  it.each(SOURCE)('%s fails in: %s', async (flaw, expected) => {
    await expect(running(expected, { [flaw]: true }, {})).rejects.toThrow(Unmet)
  })
})

describe('a session that', () => {
  it.each(SESSION)('%s fails in: %s', async (flaw, expected) => {
    await expect(running(expected, {}, { [flaw]: true })).rejects.toThrow(Unmet)
  })
})

describe('the suite', () => {
  it('has no case that nothing here can fail', () => {
    const shown = new Set([...SOURCE, ...SESSION].map(([, name]) => name))
    const rest = NAMES.filter((name) => !shown.has(name))
    // Order is shown by hand below; the last is the same reply as a body that breaks off, without a second chance.
    expect(rest).toEqual(['the order is that of the plan, across pages', 'a body that always breaks off is an error'])
  })

  it('fails a source that gives records in another order', async () => {
    const connector = scriptedConnector()
    const right = connector.source!
    const source: Source = {
      ...right,
      async *read(...input) {
        for await (const page of right.read(...input)) yield { ...page, body: (page.body as Row[]).toReversed() }
      },
    }
    const suite = { name: 'x', connector: { ...connector, source }, open: async () => openScripted() }
    await expect(runSourceCase('the order is that of the plan, across pages', suite)).rejects.toThrow('comes after')
  })

  it('fails a session that takes half an answer for a whole one, every time', async () => {
    const suite = {
      name: 'x',
      connector: scriptedConnector({ takesHalf: true }),
      open: async () => openScripted({ acceptsCut: true }),
    }
    await expect(runSourceCase('a body that always breaks off is an error', suite)).rejects.toThrow('no error')
  })

  it('skips what is waived, with the reason, and refuses a waiver for nothing', () => {
    const shown: string[] = []
    const put = Object.assign((name: string) => shown.push(name), { skip: (name: string) => shown.push(`- ${name}`) })
    const runner = { describe: (_: string, body: () => void) => body(), it: put }
    const suite = { name: 'x', connector: scriptedConnector(), open: async () => openScripted() }
    sourceConformance(runner, { ...suite, waive: { 'the count is that of the window': 'it cannot count' } })
    expect(shown).toHaveLength(NAMES.length)
    expect(shown).toContain('- the count is that of the window (waived: it cannot count)')
    expect(() => sourceConformance(runner, { ...suite, waive: { nothing: 'why' } as never })).toThrow(
      `no case 'nothing'`,
    )
  })
})
