/** An object's description, asked for. */
import { z } from 'zod'
import type { Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import type { DescribedObject } from './describe.ts'

export async function describeObject(session: Session, object: string): Promise<DescribedObject> {
  const doing = `describe ${object}`
  // https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
  const path = `sobjects/${encodeURIComponent(object)}/describe`
  return askJson<DescribedObject>(session, path, doing, described)
}

const number = z.number().optional()
const described = z.looseObject({
  name: z.string(),
  fields: z.array(
    z.looseObject({
      name: z.string(),
      type: z.string(),
      label: z.string().nullish(),
      precision: number,
      scale: number,
      length: number,
      compoundFieldName: z.string().nullish(),
      referenceTo: z.array(z.string()).nullish(),
    }),
  ),
})

/** Of the REST API; `path` is below the version. */
export async function askJson<T>(session: Session, path: string, doing: string, shape: z.ZodType): Promise<T> {
  return askJsonAt(session, dataUrl(session, path), doing, shape)
}

/** At a path that Salesforce gave. */
export async function askJsonAt<T>(session: Session, url: string, doing: string, shape: z.ZodType): Promise<T> {
  const { body } = await session.http.request({ url, accept: 'json', doing })
  return jsonOf(body, doing, shape) as T
}

/** `shape`: what is looked at of it, which has to be as it should. */
export function jsonOf(body: Uint8Array, doing: string, shape: z.ZodType): unknown {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    throw wrongAnswer(doing, 'the answer is no JSON')
  }
  const read = shape.safeParse(value)
  if (read.success) return value
  const at = read.error.issues[0]?.path.map(String).join('.')
  throw wrongAnswer(
    doing,
    at ? `${at.slice(0, 100)} is missing in the answer, or is of another kind` : 'the answer is of another kind',
  )
}

export function dataUrl({ settings }: Session, path: string): string {
  return `/services/data/${settings.apiVersion as string}/${path}`
}

export function wrongAnswer(doing: string, reason: string): ConnectorError {
  return new ConnectorError({ connector: 'salesforce', doing, kind: 'answer', reason })
}
