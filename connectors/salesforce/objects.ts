/** An object's description, asked for. */
import { z } from 'zod'
import type { Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import type { DescribedObject } from './describe.ts'

export async function describeObject(session: Session, object: string): Promise<DescribedObject> {
  const doing = `describe ${object}`
  // https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
  const path = `sobjects/${encodeURIComponent(object)}/describe`
  const described = await askJson<DescribedObject>(session, path, doing)
  if (!Array.isArray(described.fields)) throw wrongAnswer(doing, 'the description has no fields')
  return described
}

/** One JSON object of the REST API; `path` is below the version. */
export async function askJson<T>(session: Session, path: string, doing: string): Promise<T> {
  return askJsonAt(session, dataUrl(session, path), doing)
}

/** One JSON object at a path that Salesforce gave. */
export async function askJsonAt<T>(session: Session, url: string, doing: string): Promise<T> {
  const { body } = await session.http.request({ url, accept: 'json', doing })
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(Buffer.from(body).toString('utf8'))) as T
  } catch {
    throw wrongAnswer(doing, 'the answer is no JSON object')
  }
}

export function dataUrl({ settings }: Session, path: string): string {
  return `/services/data/${settings.apiVersion as string}/${path}`
}

export function wrongAnswer(doing: string, reason: string): ConnectorError {
  return new ConnectorError({ connector: 'salesforce', doing, kind: 'answer', reason })
}
