/** `lakeward verify` and what `lakeward status` tells of a ledger, over lakes that real runs wrote. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { laneKeys } from '../../connectors/lake/keys.ts'
import { dataFiles } from './lane-files.ts'
import type { Stage } from './stage.ts'

export function verifyCases(opened: () => Stage): void {
  let stage: Stage
  beforeAll(() => void (stage = opened()))

  it('a whole lake is told as whole, what is missing, extra or late is told by name', async () => {
    const { control } = stage.sandbox
    const flow = stage.flow(`
name: verified
source: { settle: 0s, objects: [{ object: Account, into: accounts }, 'Opportunity'] }
destination: { prefix: verified }
`)
    const verify = (...args: string[]) => stage.lakeward('verify', 'verified.yaml', ...args)
    writeFileSync(join(stage.directory, 'verified.yaml'), stringify(flow))
    const { objects } = await stage.run(flow)

    const whole = await verify('--count')
    expect(whole.stderr).toMatch(/holds what the ledger of \S+ says/)
    expect(whole.stdout).toMatch(new RegExp(`Account +1 +\\d+ +${objects[0]!.written} .* 0$`, 'm'))
    expect(whole.stdout).toMatch(/^Account: \d+ records read, \d+ records at \S+ now: equal$/m)
    expect(whole.stdout).toMatch(/^Opportunity: \d+ records read, \d+ records at \S+ now: equal$/m)
    expect(whole.code).toBe(0)

    const gone = control.ids({ object: 'Account', limit: 3, deleted: false })
    control.update({ object: 'Account', ids: gone, values: { Name: 'moved on' } })
    const fewer = await verify('Account', '--count', '--json')
    expect(JSON.parse(fewer.stdout)).toMatchObject({ faults: 0, objects: [{ source: { fault: false } }] })
    control.insert({ object: 'Account', count: 5, stamp: '2020-01-01T00:00:00.000Z' })
    const late = await verify('Account', '--count')
    expect(late.stdout).toMatch(/^Account: .*: 2 records more than any entry has; they became visible late/m)
    expect(late.code).toBe(1)

    const [file] = dataFiles(stage, 'verified/accounts')
    rmSync(file!)
    writeFileSync(`${file!}.bak`, 'mine')
    const faulty = await verify('--json')
    const { faults, objects: found } = JSON.parse(faulty.stdout) as {
      faults: number
      objects: { object: string; findings: { kind: string; where: string }[] }[]
    }
    expect([faulty.code, faults]).toEqual([1, 2])
    expect(found.map(({ object, findings }) => [object, findings.map(({ kind }) => kind).toSorted()])).toEqual([
      ['Account', ['extra', 'missing']],
      ['Opportunity', []],
    ])
    expect((await verify()).stdout).toMatch(/^Account: missing \(fault\): verified\/accounts\/\S+: entry 1 is done/m)

    const wrong = await verify('Acount')
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/no object Acount, did you mean 'Account'/)])
  })

  it('status tells of a ledger that cannot be read and of one that is owed, and shows the others', async () => {
    const flow = stage.flow(`
name: odd
source: { settle: 0s, objects: [Account, Contact, Opportunity] }
destination: { prefix: odd }
`)
    writeFileSync(join(stage.directory, 'odd.yaml'), stringify(flow))
    await stage.lakeward('apply', 'odd.yaml')
    await stage.run(flow)
    const keys = (object: string) => laneKeys({ flow: flow.name, object })
    writeFileSync(join(stage.lake, keys('Contact').entry(1)), 'overwritten')
    rmSync(join(stage.lake, keys('Opportunity').outcome(1)))
    mkdirSync(join(stage.lake, keys('Account').plans), { recursive: true })
    writeFileSync(join(stage.lake, keys('Account').plan('000000001-w1000000-0')), '{')
    const { stdout, code } = await stage.lakeward('status', flow.name)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Account +20\d\d-/m)
    expect(stdout).toMatch(/^Account: the plan of run 000000001-w1000000-0 cannot be read/m)
    expect(stdout).toMatch(/^Contact +its ledger cannot be read/m)
    expect(stdout).toMatch(/^Contact: \S+00000001\.json: an entry is not readable as JSON\./m)
    expect(stdout).toMatch(/^Opportunity: entry 1 is committed and not all visible yet/m)
  })
}
