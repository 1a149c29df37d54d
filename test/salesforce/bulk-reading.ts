/** A plan read as the core reads it: its job driven to the end, every range decoded, values as text by column. */
import type { Json, ObjectSchema, Plan, Range, Session } from '../../connectors/connector.ts'
import { textReader } from '../../connectors/records/cells.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import { source } from './org.ts'

const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

/** The plan with the ranges that its job gave. */
export async function exported(session: Session, plan: Plan, token = 'run-1'): Promise<Plan & { ref: Json }> {
  if (!plan.job) throw new Error('the plan has no job')
  const ref = stored(await source.job!.submit(session, plan, token))
  for (;;) {
    const state = await source.job!.poll(session, ref)
    if ('ready' in state) return { ...stored({ ...plan, ranges: state.ready }), ref }
    if ('refused' in state) throw new Error(state.refused)
  }
}

export type Row = Record<string, string | null>

export async function rowsOfRange(session: Session, plan: Plan, range: Range, schema: ObjectSchema): Promise<Row[]> {
  const rows: Row[] = []
  for await (const page of source.read(session, plan, range, null)) {
    for (const { batch, ops, rejects } of decodePage(page, schema.fields)) {
      if (rejects.length > 0) throw new Error(rejects[0]!.reason)
      const readers = schema.fields.map(({ type }) => textReader(type))
      for (let row = 0; row < batch.rows; row++) {
        const values = schema.fields.map(({ name }, at) => [name, readers[at]!(batch.columns[at]!, row)] as const)
        rows.push({ ...Object.fromEntries(values), op: String(ops?.[row] ?? '') })
      }
    }
  }
  return rows
}

/** By Id. */
export async function rowsOf(session: Session, plan: Plan, schema: ObjectSchema): Promise<Row[]> {
  const parts = await Promise.all(plan.ranges.map((range) => rowsOfRange(session, plan, range, schema)))
  return parts.flat().toSorted((a, b) => (a['Id']! < b['Id']! ? -1 : 1))
}
