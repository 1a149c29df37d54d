/** Flows and installations by the thousand, each a right one with a few changes: valid, or refused in plain words. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../connectors/connector.ts'
import { parseText, type Document } from '../../../connectors/document.ts'
import { InputError } from '../../../connectors/errors.ts'
import { checkOptions, checkTarget, parseFlow } from '../../../connectors/flow.ts'
import { connector, connectorNames } from '../../../connectors/index.ts'
import { readInstallation } from '../../../connectors/installation.ts'
import { outputFields } from '../../../connectors/records/recipe.ts'
import { validate } from '../../../connectors/validate.ts'
import { storedRecipe } from '../../../activities/recipe.ts'
import { flowDocument, objectIds, triggerText } from '../../../client/flow-document.ts'
import { chances, type Chance } from '../../records/pages/chance.ts'
import { unclear } from './clear-errors.ts'
import { mangled, miswritten, mutated } from './mutations.ts'
import { tryMany, tryManyAtOnce, type Verdict } from './rounds.ts'
import { everyKey, installation } from './right-files.ts'

const examples = join(import.meta.dirname, '../../../client/examples')
const flows = readdirSync(examples)
  .filter((name) => name !== 'lakeward.yaml')
  .map((name) => readFileSync(join(examples, name), 'utf8'))
  .concat(everyKey)
const connectors = await Promise.all(connectorNames.map((name) => connector(name)))
const fields = [
  'Id',
  'Name',
  'AnnualRevenue',
  'BillingStreet',
  'BillingCity',
  'Phone',
  'Website',
  'SystemModstamp',
].map((name) => ({ name, type: name === 'AnnualRevenue' ? 'float64' : 'string', nullable: true }) as const)
const schema = { object: 'Account', fields, keys: ['Id'], cursors: ['SystemModstamp'], deletes: true }

const folder = mkdtempSync(join(tmpdir(), 'lakeward-inputs-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** All that is done to a flow before anything runs. */
function use(value: unknown, file: Document | undefined, chance: Chance): void {
  const document = flowDocument(value, file)
  const flow = parseFlow(value, file)
  expect(parseFlow(JSON.parse(JSON.stringify(document)))).toEqual(flow)
  triggerText(document)
  objectIds(document)
  const [source, target] = [chance.pick(connectors), chance.pick(connectors)]
  checkTarget(flow, target, file)
  for (const object of checkOptions(flow, source, file).source.objects) {
    const end = { kind: 'lake' as const, folder: '' }
    const recipe = storedRecipe({ flow, object }, schema, end, '2026-05-06T00:00:00.000Z', 'check')
    outputFields(recipe, fields, [], 'flow.yaml ')
  }
}

function judged(written: string, work: () => void): Verdict {
  try {
    work()
    return { became: 'valid' }
  } catch (error) {
    return refused(error, written)
  }
}

function refused(error: unknown, written: string): Verdict {
  const wrong = unclear(error, written)
  return { became: error instanceof InputError ? 'refused' : 'crashed', ...(wrong !== undefined && { wrong }) }
}

describe('flows', () => {
  it('as files, line by line', () => {
    const tally = tryManyAtOnce(1500, (chance) => {
      const text = miswritten(chance.pick(flows), chance)
      return judged(text, () => {
        const document = parseText(text, 'flow.yaml')
        use(document.value, document, chance)
      })
    })
    expect(Object.keys(tally).toSorted()).toEqual(['refused', 'valid'])
  })

  it('as JSON, member by member', () => {
    const right = flows.map((text) => parseText(text, 'flow.yaml').value as JsonObject)
    const tally = tryManyAtOnce(2500, (chance) => {
      const value = mutated(chance.pick(right), chance)
      return judged(JSON.stringify(value) ?? '', () => use(value, undefined, chance))
    })
    expect(Object.keys(tally).toSorted()).toEqual(['refused', 'valid'])
  })

  it('as files, member by member, so that problems have lines', () => {
    const right = flows.map((text) => parseText(text, 'flow.yaml').value as JsonObject)
    tryManyAtOnce(500, (chance) => {
      const text = JSON.stringify(mutated(chance.pick(right), chance), null, chance.int(3)) ?? ''
      return judged(text, () => {
        const document = parseText(text, 'flow.yaml')
        use(document.value, document, chance)
      })
    })
  })
})

describe('what was found so', () => {
  const told = (work: () => unknown): string[] => {
    try {
      work()
    } catch (error) {
      if (error instanceof InputError) return error.problems.map(({ where, what }) => `${where}: ${what}`)
      throw error
    }
    return []
  }
  const flow = (source: object): object => ({
    version: 1,
    name: 'orders',
    source: { connection: 'inbox', objects: ['A'], ...source },
    destination: { connection: 'lake' },
  })

  it('a mapping that has no value, where keys are compared', () => {
    expect(told(() => parseFlow(flow({ csv: null })))).toContain('source.csv: has no value')
  })

  it('a login scheme that is no text, beside keys of another', async () => {
    const webhook = await connector('webhook')
    const read = (settings: unknown) => validate(webhook.settings, settings, [])
    expect(read({ scheme: {}, signature: { header: 'X' } })).toMatchObject({
      found: [{ path: ['scheme'] }, { path: ['signature'], what: 'is for scheme hmac' }],
    })
    const signs = [{ toString: 1 }]
    expect(read({ scheme: 'hmac', signature: { header: 'X', signs }, id: 'content' })).toHaveProperty('found')
  })

  it('names with control characters, which a terminal would obey', () => {
    const key = 'wr\u001b[2Jite'
    expect(told(() => parseFlow(flow({ [key]: 1 })))[0]).toContain("'wr·[2Jite'")
  })
})

describe('lakeward.yaml', () => {
  const written = [installation, readFileSync(join(examples, 'lakeward.yaml'), 'utf8')]
  const path = join(folder, 'lakeward.yaml')

  const read = async (bytes: Buffer, chance: Chance): Promise<Verdict> => {
    writeFileSync(path, bytes)
    try {
      await readInstallation(path, { plainSecrets: chance.once(2) })
      return { became: 'valid' }
    } catch (error) {
      const verdict = refused(error, bytes.toString())
      const canary = error instanceof Error && error.message.includes('canary')
      return canary ? { became: 'refused', wrong: `tells a secret: ${error.message}` } : verdict
    }
  }

  it('begins with right ones', async () => {
    const valid = { became: 'valid' }
    for (const text of written) expect(await read(Buffer.from(text), chances(1))).toEqual(valid)
    for (const text of flows) expect(parseFlow(parseText(text, 'flow.yaml').value).name).toMatch(/./)
  })

  it('line by line', async () => {
    const tally = await tryMany(250, (chance) => read(Buffer.from(miswritten(chance.pick(written), chance)), chance))
    expect(Object.keys(tally).toSorted()).toEqual(['refused', 'valid'])
  })

  it('member by member', async () => {
    const right = written.map((text) => parseText(text, 'lakeward.yaml').value)
    await tryMany(300, (chance) => read(Buffer.from(JSON.stringify(mutated(chance.pick(right), chance)) ?? ''), chance))
  })

  it('byte by byte', async () => {
    await tryMany(150, (chance) => read(mangled(Buffer.from(chance.pick([...written, ...flows])), chance), chance))
  })
})
