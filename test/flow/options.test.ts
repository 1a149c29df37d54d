/** `source.options` against a connector, and the size of a flow. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Connector, JsonObject, Source } from '../../connectors/connector.ts'
import { parseText } from '../../connectors/document.ts'
import { InputError, type Problem } from '../../connectors/errors.ts'
import { canonicalFlow, checkOptions, flowSizeLimit, parseFlow } from '../../connectors/flow.ts'

const options = z.strictObject({ api: z.enum(['rest', 'bulk']).prefault('rest'), pageSize: z.int().optional() })
const never = (): never => {
  throw new Error('is not called')
}
const source: Source = { options, objects: never, describe: never, plan: never, read: never }
const org: Connector = {
  name: 'org',
  title: 'An org',
  settings: z.strictObject({}),
  auth: [],
  limits: [],
  errors: [],
  identity: never,
  source,
}

function flow(shared: string, own: string) {
  const document = parseText(
    `version: 1
name: f
source:
  connection: crm
  options: ${shared}
  objects:
    - A
    - object: B
      options: ${own}
destination: { connection: lake }
`,
    'f.yaml',
  )
  return { document, flow: parseFlow(document.value, document) }
}

function problemsIn(shared: string, own: string, connector = org): Problem[] {
  const { document, flow: parsed } = flow(shared, own)
  try {
    checkOptions(parsed, connector, document)
  } catch (error) {
    if (error instanceof InputError) return error.problems
    throw error
  }
  throw new Error('nothing was refused')
}

describe('checkOptions', () => {
  it("fills in the connector's defaults, an object's own options first", () => {
    const checked = checkOptions(flow('{ pageSize: 10 }', '{ api: bulk }').flow, org)
    expect(checked.source.options).toEqual({ api: 'rest', pageSize: 10 })
    expect(checked.source.objects.map((object) => object.options)).toEqual([
      { api: 'rest', pageSize: 10 },
      { api: 'bulk', pageSize: 10 },
    ])
  })

  it('tells a mistake in the source once, and each in an object', () => {
    expect(
      problemsIn('{ apy: rest }', '{ api: soap, pageSize: many }').map(({ where, what }) => [where, what]),
    ).toEqual([
      ['f.yaml:5 source.options.apy', "unknown key 'apy', did you mean 'api'?"],
      ['f.yaml:9 source.objects[1].options.api', 'must be rest | bulk'],
      ['f.yaml:9 source.objects[1].options.pageSize', 'must be a number, not text'],
    ])
  })

  it('takes what a schema of another make says', () => {
    const byHand: Connector = {
      ...org,
      source: {
        ...source,
        options: {
          parse(input) {
            if (Object.keys(input as JsonObject).length > 0) throw new Error('there are no options')
            return {}
          },
        },
      },
    }
    expect(problemsIn('{ a: 1 }', '{}', byHand)[0]).toEqual({
      where: 'f.yaml:5 source.options',
      what: 'there are no options',
    })
  })

  it('refuses a connector that is no source', () => {
    const { source: _, ...sink } = org
    expect(problemsIn('{}', '{}', sink)).toEqual([
      {
        where: 'f.yaml:4 source.connection',
        what: 'the connector org is no source',
        advice: 'name a connection that can be read from',
      },
    ])
  })
})

describe('the document for Temporal', () => {
  it('is JSON in the order of the file, without comments', () => {
    const document = parseText('version: 1 # one\nname: f\nsource: { objects: [A], connection: crm }\n', 'f.yaml')
    expect(JSON.stringify(canonicalFlow(document))).toBe(
      '{"version":1,"name":"f","source":{"objects":["A"],"connection":"crm"}}',
    )
  })

  it('is a mapping', () => {
    expect(() => canonicalFlow(parseText('- a', 'f.yaml'))).toThrow(/f\.yaml:1: is a list, not a mapping/)
  })

  it('has 256 KB at most, in UTF-8', () => {
    const sized = (bytes: number): JsonObject => ({ a: 'é'.repeat((bytes - 8) / 2) })
    expect(() => flowSizeLimit(sized(256 * 1024))).not.toThrow()
    expect(() => flowSizeLimit(sized(256 * 1024 + 2))).toThrow(/257 KB as JSON; Temporal takes 256 KB\n.*split/)
  })
})
