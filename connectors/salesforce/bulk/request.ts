/** What a Bulk job is asked for, and what it means that its results are gone. */
import { ConnectorError } from '../../errors.ts'
import type { ReadRequest } from '../plan.ts'
import * as soql from '../soql.ts'

type Asked = Pick<ReadRequest, 'object' | 'groups' | 'where'>

/** Without an order, which would keep Salesforce from working on parts of the object side by side. */
export function jobQuery({ object, groups, where }: Asked): string {
  return soql.select({ object, fields: fieldsOf({ groups }), where, orderBy: [] })
}

/** A query of a job fits no URL, and so names all fields at once. */
export function fieldsOf({ groups }: Pick<Asked, 'groups'>): string[] {
  return [...new Set(groups.flat())]
}

/** The lane begins anew, with another job. */
export function again(object: string, reason: string, cause?: unknown): ConnectorError {
  const doing = `export ${object}`
  return new ConnectorError({ connector: 'salesforce', doing, kind: 'cursor-expired', reason, cause })
}
