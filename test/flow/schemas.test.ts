/** What ships for editors and for newcomers agrees with what reads the files. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readDocument } from '../../connectors/document.ts'
import { checkOptions, parseFlow } from '../../connectors/flow.ts'
import { connector } from '../../connectors/index.ts'
import { readInstallation } from '../../connectors/installation.ts'
import { schemas, schemasDirectory } from '../../scripts/schemas.ts'

const example = (name: string): string => fileURLToPath(new URL(`../../client/examples/${name}`, import.meta.url))

describe('client/schemas', () => {
  it('is fresh; if not: npx tsx scripts/schemas.ts', async () => {
    for (const [name, text] of Object.entries(await schemas())) {
      expect(await readFile(new URL(name, schemasDirectory), 'utf8'), name).toBe(text)
    }
  })

  it('closes every mapping and says what each key is', async () => {
    const { 'flow.schema.json': text } = await schemas()
    const flow = JSON.parse(text!) as Schema
    const destination = flow.properties!['destination']!
    expect(destination.additionalProperties).toBe(false)
    expect(destination.properties!['format']!.enum).toEqual(['parquet', 'jsonl', 'csv'])
    for (const [key, member] of Object.entries({ ...flow.properties, ...destination.properties })) {
      expect(member.description, key).toBeTruthy()
    }
    const step = flow.properties!['source']!.properties!['objects']!.items!.anyOf![1]!.properties!['transform']!.items!
    expect(step).toMatchObject({ additionalProperties: false, minProperties: 1, maxProperties: 1 })
    expect(Object.keys(step.properties!)).toHaveLength(13)
  })

  it('knows the settings and logins of each connector', async () => {
    const { 'lakeward.schema.json': text } = await schemas()
    const connection = (JSON.parse(text!) as Schema).properties!['connections']!.additionalProperties as Schema
    const salesforce = connection.anyOf!.find((one) => one.properties!['connector']!.const === 'salesforce')!
    expect(Object.keys(salesforce.properties!)).toEqual(expect.arrayContaining(['auth', 'loginUrl', 'allowInsecure']))
    expect(salesforce.required).toEqual(expect.arrayContaining(['connector', 'auth', 'loginUrl']))
    expect(salesforce.additionalProperties).toBe(false)
  })
})

describe('client/examples', () => {
  it('is a flow and an installation that fit each other', async () => {
    const document = await readDocument(example('salesforce-daily.yaml'))
    const flow = parseFlow(document.value, document)
    const { connections } = await readInstallation(example('lakeward.yaml'))
    const source = await connector(connections[flow.source.connection]!.connector)
    const destination = await connector(connections[flow.destination.connection]!.connector)
    expect(destination.destination).toHaveProperty('lake')
    expect(checkOptions(flow, source, document)).toMatchObject({
      name: 'salesforce-daily',
      trigger: { kind: 'cron', cron: '0 2 * * *', timezone: 'Europe/Berlin', catchUpMs: 21_600_000 },
      source: {
        objects: [
          { object: 'Account', into: 'accounts' },
          { object: 'Opportunity', into: 'opportunities' },
        ],
      },
      destination: { prefix: 'salesforce/raw', format: 'parquet' },
    })
  })
})

interface Schema {
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
  enum?: string[]
  const?: string
  description?: string
  required?: string[]
  additionalProperties?: boolean | Schema
}
