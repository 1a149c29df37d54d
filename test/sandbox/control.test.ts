import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { remoteControl } from '../sandboxes/salesforce/control-http.ts'
import { type Sandbox, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { type Client, login } from './org-client.ts'

let sandbox: Sandbox
let client: Client
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 500, opportunities: 20, contacts: 20 })
  client = await login(sandbox)
})
afterAll(() => sandbox.stop())

describe('control', () => {
  it('changes rows, at the time it is told or now', async () => {
    const { control } = sandbox
    const [id] = control.ids({ object: 'Account', limit: 1, offset: 60, deleted: false })
    const before = Math.floor(Date.now() / 1000) * 1000
    control.update({ object: 'Account', ids: [id!], values: { Name: `O'x`, AnnualRevenue: '-123456789012345678' } })
    const [row] = (
      await client.query(
        `SELECT Name, SystemModstamp FROM Account WHERE AnnualRevenue = -123456789012345678 AND Id = '${id}'`,
      )
    ).records
    expect(row).toMatchObject({ Name: `O'x` })
    expect(Date.parse(row!['SystemModstamp'] as string)).toBeGreaterThanOrEqual(before)
    control.update({ object: 'Account', ids: [id!], values: {}, stamp: '2024-05-06T07:08:09Z' })
    const truth = [...control.truth('Account')].find((one) => one['Id'] === id)!
    expect([truth['SystemModstamp'], truth['AnnualRevenue']]).toEqual([
      '2024-05-06T07:08:09.000Z',
      '-123456789012345678',
    ])
    expect(() => control.update({ object: 'Account', ids: [id!], values: { Nam: 1 } })).toThrow(
      'no field Nam on Account',
    )
    expect(() => control.update({ object: 'Account', ids: ['x'], values: {} })).toThrow('no Account x')
  })

  it('shows rows late, with stamps that were passed long ago', async () => {
    const { ids } = sandbox.control.insert({ object: 'Account', count: 3, stamp: '2024-01-02T03:04:05Z', hidden: true })
    const soql = `SELECT Id FROM Account WHERE SystemModstamp = 2024-01-02T03:04:05Z`
    expect(await client.read(soql)).toHaveLength(0)
    sandbox.control.show({ object: 'Account', ids })
    const found = (await client.read(soql)).map((record) => record['Id'])
    expect(new Set(found)).toEqual(new Set(ids))
    expect(found).toHaveLength(3)
  })

  it('deletes and brings back', async () => {
    const [id] = sandbox.control.ids({ object: 'Opportunity', limit: 1, deleted: false })
    const rows = { object: 'Opportunity', ids: [id!] }
    const soql = `SELECT Id, IsDeleted FROM Opportunity WHERE Id = '${id}'`
    sandbox.control.delete(rows)
    expect([(await client.query(soql)).totalSize, (await client.queryAll(soql)).records[0]!['IsDeleted']]).toEqual([
      0,
      true,
    ])
    sandbox.control.undelete(rows)
    expect((await client.query(soql)).records[0]!['IsDeleted']).toBe(false)
    sandbox.control.purge(rows)
    expect((await client.queryAll(soql)).totalSize).toBe(0)
  })

  it('adds fields that are null until they are filled', async () => {
    sandbox.control.addField({
      object: 'Opportunity',
      name: 'Score__c',
      type: 'double',
      options: { precision: 18, scale: 4 },
    })
    sandbox.control.addField({
      object: 'Opportunity',
      name: 'Filled__c',
      type: 'string',
      options: { length: 80 },
      fill: true,
    })
    const [id] = sandbox.control.ids({ object: 'Opportunity', limit: 1, offset: 5, deleted: false })
    sandbox.control.update({ object: 'Opportunity', ids: [id!], values: { Score__c: 12.5 } })
    const records = await client.read('SELECT Id, Score__c, Filled__c FROM Opportunity')
    expect(records.filter((record) => record['Score__c'] !== null)).toMatchObject([{ Id: id, Score__c: 12.5 }])
    expect(records.some((record) => record['Filled__c'] !== null)).toBe(true)
  })

  it('logs what was asked', async () => {
    sandbox.control.reset()
    await client.query('SELECT Id FROM Contact')
    await expect(client.query('SELECT Id FROM Contakt')).rejects.toThrow()
    expect(sandbox.control.counts()).toEqual({ query: 2 })
    expect(sandbox.control.log()).toMatchObject([
      { route: 'query', status: 200, read: { object: 'Contact', offset: 0 } },
      { route: 'query', status: 400 },
    ])
  })
})

it('is a process of its own, steered over HTTP', async () => {
  const main = fileURLToPath(new URL('../sandboxes/salesforce/main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--accounts', '30', '--ties', '5'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const { url } = JSON.parse(line) as { url: string }
    const control = remoteControl(url)
    const { ids } = await control.insert({ object: 'Account', rows: [{ Name: 'far' }] })
    const rows = []
    for await (const row of control.truth('Account', { includeDeleted: true })) rows.push(row)
    expect(rows).toHaveLength(31)
    expect(rows.at(-1)).toMatchObject({ Id: ids[0], Name: 'far' })
    await expect(control.removeField({ object: 'Account', name: 'Nam' })).rejects.toThrow('no field Nam on Account')
    expect(await control.counts()).toEqual({})
  } finally {
    child.kill()
    await once(child, 'exit')
  }
})
