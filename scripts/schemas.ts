/**
 * Writes the JSON Schemas of both files below client/schemas/, for editors: `tsx scripts/schemas.ts`.
 * They are made from the same zod schemas that read the files; a test says when they are stale.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Connector } from '../connectors/connector.ts'
import { flowSchema } from '../connectors/flow.ts'
import { connectors } from '../connectors/index.ts'
import { authSchema } from '../connectors/installation-auth.ts'
import { connectionShape, installationSchema } from '../connectors/installation.ts'
import { jsonSchemaOverride, strict } from '../connectors/strict.ts'

export const schemasDirectory = new URL('../client/schemas/', import.meta.url)

/** File name: text. */
export async function schemas(): Promise<Record<string, string>> {
  const known = Object.values(await connectors())
  const [first, ...more] = known.map(connectionSchema)
  if (!first) throw new Error('there are no connectors')
  return {
    'flow.schema.json': jsonSchema(flowSchema, 'Lakeward flow'),
    'lakeward.schema.json': jsonSchema(installationSchema(false, z.union([first, ...more])), 'Lakeward installation'),
  }
}

/** The keys of every connection and those of its connector, told apart by `connector`. */
function connectionSchema({ name, title, settings, auth, staging: staged }: Connector): z.ZodType {
  if (!(settings instanceof z.ZodObject)) throw new Error(`the settings of ${name} are no zod object`)
  const { taskQueue, allowInsecure, limits, staging } = connectionShape
  return strict(`a connection of ${name}`, {
    connector: z.literal(name).describe(title),
    ...(auth.length > 0 && {
      auth: auth.every(({ optional }) => optional) ? authSchema(auth).optional() : authSchema(auth),
    }),
    ...settings.def.shape,
    taskQueue,
    allowInsecure,
    limits,
    ...(staged !== undefined && { staging }),
  }).describe(title)
}

function jsonSchema(schema: z.ZodType, title: string): string {
  const made = z.toJSONSchema(schema, { io: 'input', target: 'draft-7', override: jsonSchemaOverride })
  const { $schema, ...rest } = made
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(schemasDirectory, { recursive: true })
  for (const [name, text] of Object.entries(await schemas())) await writeFile(new URL(name, schemasDirectory), text)
}
