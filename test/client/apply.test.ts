/** apply, diff and prune of directories: what would change, what does, and what is never touched. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { JsonObject } from '../../connectors/connector.ts'
import { describeWithTemporal } from '../temporal.ts'
import { flowOf, freshName } from './stand-in/flows.ts'
import { recorded } from './stand-in/recorder.ts'

const folder = mkdtempSync(join(tmpdir(), 'lakeward-apply-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function directory(name: string, flows: Record<string, JsonObject | string>): string {
  const path = join(folder, name)
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path)
  for (const [file, flow] of Object.entries(flows)) {
    writeFileSync(join(path, `${file}.yaml`), typeof flow === 'string' ? flow : stringify(flow))
  }
  return path
}

describe('wrong use', () => {
  const nowhere = ['--address', '127.0.0.1:1']
  const one = () => directory('one', { a: flowOf('a') })
  test.each<[string, () => string[], RegExp, RegExp]>([
    ['prune without a set', () => ['apply', one(), '--prune'], /--prune: of which set/, /Name it with --set/],
    [
      'prune by a file',
      () => ['apply', join(one(), 'a.yaml'), '--prune', '--set', 's'],
      /a\.yaml is not a directory: all other flows of the set/,
      /the directory that holds all flows/,
    ],
    ['a set of no name', () => ['apply', one(), '--set', 'My Flows'], /--set: "My Flows" is no name/, /a-z, 0-9/],
    [
      'an empty directory, which would prune all',
      () => ['apply', directory('none', {}), '--prune', '--set', 's', '--yes'],
      /none: there is no flow in this directory/,
      /\.yaml, \.yml or \.json/,
    ],
    [
      'two files of one name',
      () => ['diff', directory('two', { a: flowOf('same'), b: flowOf('same') })],
      /two\/b\.yaml name: same is also the name of the flow in .*two\/a\.yaml/,
      /another/,
    ],
    [
      'one bad file among good ones',
      () => ['apply', directory('bad', { a: flowOf('a'), b: 'version: 1\nname: b\n' })],
      /bad\/b\.yaml.*source/,
      /problem|source/,
    ],
    ['a directory that is not there', () => ['diff', join(folder, 'nowhere')], /nowhere: does not exist/, /./],
  ])('%s', async (_, args, what, advice) => {
    const { code, said, out } = await recorded(...args(), ...nowhere)
    expect(said).toMatch(what)
    expect(said).toMatch(advice)
    expect(said).not.toMatch(/\n\s+at /)
    expect([code, out]).toEqual([2, ''])
  })
})

describeWithTemporal('directories of flows', ({ address, namespace }) => {
  const made = new Set<string>()
  let connection: Connection
  let client: Client
  const named = (about: string): string => {
    const name = freshName(about)
    made.add(name)
    return name
  }
  const there = (...args: string[]) => recorded(...args, '--address', address)
  const parsed = async <T>(...args: string[]) => JSON.parse((await there(...args, '--json')).out) as T
  beforeAll(async () => {
    connection = await Connection.connect({ address })
    client = new Client({ connection, namespace })
  })
  afterAll(async () => {
    for (const name of made)
      await client.schedule
        .getHandle(`flow/${name}`)
        .delete()
        .catch(() => {})
    await connection.close()
  })

  test('diff tells new, changed by path, unchanged and only there; apply does just that', async () => {
    const [a, b, c] = [named('diff-a'), named('diff-b'), named('diff-c')]
    const set = freshName('set')
    const flows = directory('diff', { a: flowOf(a), b: flowOf(b, { trigger: { every: '1h' } }), c: flowOf(c) })
    expect((await there('diff', flows, '--set', set)).out).toMatch(new RegExp(`^${a} new  .*a\\.yaml\n${b} new`))
    expect((await there('apply', flows, '--set', set, '--dry-run', '--exit-code')).code).toBe(2)
    expect((await there('apply', flows, '--set', set, '--dry-run')).out).toContain(`${a} new`)
    expect((await there('diff', flows, '--set', set, '--exit-code')).code, 'a dry run changes nothing').toBe(1)
    expect((await there('apply', flows, '--set', set)).code).toBe(0)
    expect(await there('diff', flows, '--set', set, '--exit-code')).toMatchObject({ code: 0, said: '' })

    await there('pause', b)
    const next = directory('diff', {
      a: flowOf(a, { source: { connection: 'crm', objects: ['Account', { object: 'Lead', into: 'leads' }] } }),
      b: flowOf(b, { trigger: { every: '2h' }, paused: false }),
    })
    const { out, code } = await there('diff', next, '--set', set)
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      `${a} changed  ${join(next, 'a.yaml')}`,
      '  source.objects[Opportunity]: {"object":"Opportunity"} → (absent)',
      '  source.objects[Lead]: (absent) → {"object":"Lead","into":"leads"}',
      `${b} changed  ${join(next, 'b.yaml')}`,
      '  trigger.every: "1h" → "2h"',
      '  paused: (absent) → false',
      '  schedule.paused: true → false',
      `${c} only on the server`,
    ])
    const json = await parsed<{ flows: { change: string }[]; onlyOnServer: string[] }>('diff', next, '--set', set)
    expect(json.flows.map(({ change }) => change)).toEqual(['changed', 'changed'])
    expect(json.onlyOnServer).toEqual([c])
    const files = [join(next, 'a.yaml'), join(next, 'b.yaml')]
    expect((await there('diff', ...files)).out, 'files say nothing about the rest').not.toContain('only on the server')
    expect((await there('diff', next)).out, 'without a set all flows are compared').toContain(`${c} only on the server`)
  })

  test('prune deletes what the set no longer has, after a yes, and nothing else; again, there is nothing to do', async () => {
    const [kept, gone, other, alone] = [named('kept'), named('gone'), named('other'), named('alone')]
    const [set, another] = [freshName('set'), freshName('set')]
    await there('apply', directory('prune', { kept: flowOf(kept), gone: flowOf(gone) }), '--set', set)
    await there('apply', directory('others', { other: flowOf(other) }), '--set', another)
    await there('apply', directory('without', { alone: flowOf(alone) }))
    const rest = directory('prune', { kept: flowOf(kept) })
    const unasked = await there('apply', rest, '--set', set, '--prune')
    expect(unasked).toMatchObject({ code: 2, out: '' })
    expect(unasked.said).toMatch(new RegExp(`1 flow of set .*\n  ${gone}\n.*--yes: Delete them\\? Nobody can be asked`))
    expect((await there('apply', rest, '--set', set, '--prune', '--dry-run')).out).toContain(
      `${gone} only on the server: it would be deleted`,
    )
    const pruned = await there('apply', rest, '--set', set, '--prune', '--yes')
    expect(pruned.code).toBe(0)
    expect(pruned.said).toContain(`${kept} unchanged`)
    expect(pruned.said).toContain(`${gone} deleted; its files and its ledger stay`)
    const names = async () => (await parsed<{ name: string }[]>('list')).map(({ name }) => name)
    expect(await names()).toEqual(expect.arrayContaining([kept, other, alone]))
    expect(await names()).not.toContain(gone)
    const again = await there('apply', rest, '--set', set, '--prune')
    expect(again).toMatchObject({ code: 0, said: expect.stringMatching(new RegExp(`^${kept} unchanged`)) })
  })

  test('a flow whose run goes on is pruned loudly; one applied without a set stays in its own', async () => {
    const [kept, runs] = [named('stays'), named('runs')]
    const set = freshName('set')
    await there('apply', directory('live', { a: flowOf(kept), b: flowOf(runs, { taskQueue: runs }) }), '--set', set)
    const { workflowId } = await parsed<{ workflowId: string }>('run', runs)
    const rest = directory('live', { a: flowOf(kept, { description: 'new words' }) })
    await there('apply', join(rest, 'a.yaml'))
    const { said } = await there('apply', rest, '--set', set, '--prune', '--yes')
    expect(said).toContain(`${runs}, which runs now`)
    expect(said).toContain(`goes on: ${workflowId}`)
    expect(said, 'it is in the set still').toContain(`${kept} unchanged`)
    await client.workflow.getHandle(workflowId).terminate()
  })

  test('a schedule that another tool wrote is told as such', async () => {
    const name = named('foreign')
    await there('apply', directory('form', { a: flowOf(name) }))
    const handle = client.schedule.getHandle(`flow/${name}`)
    await handle.update(({ action, ...rest }) => ({ ...rest, action: { ...action, memo: {} } }))
    expect((await there('diff', join(folder, 'form'))).out).toMatch(/schedule\.form: "unknown" → "/)
    expect((await there('apply', join(folder, 'form'))).said).toContain(`${name} updated`)
    expect((await there('diff', join(folder, 'form', 'a.yaml'))).out).toContain(`${name} unchanged`)
  })
})
