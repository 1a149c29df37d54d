/** What a lane writes of a target that takes records one by one, if its output fits that. */
import type { Field, Session } from '../connectors/connector.ts'
import { ConnectorError, InputError } from '../connectors/errors.ts'
import type { RecordsDelivery } from '../connectors/lake/protocol.ts'
import type { RecordSink, RecordTarget, TargetField } from '../connectors/record-sink.ts'
import { checkTarget } from '../connectors/records/target-check.ts'
import type { LaneFlow } from './lane.ts'

/** The field that records are found by, and what is written of the target. @throws InputError */
export async function planRecords(
  record: RecordSink,
  session: Session,
  { flow, object }: LaneFlow,
  fields: Field[],
): Promise<{ key: string | null; records: RecordsDelivery }> {
  const { write, onReject, options } = flow.destination
  const kind = record.writes.find((one) => one.write === write)!
  const target = await targetOf(
    record,
    session,
    object.into,
    fields.map(({ name }) => name),
  )
  const checked = checkTarget({ target, kind, keys: object.keys ?? [], fields })
  if (Array.isArray(checked)) {
    throw new InputError(checked.map((one) => ({ ...one, where: `source.objects[0].${one.where}` })))
  }
  const { key } = checked
  const written = new Set(write === 'delete' ? [key] : fields.map(({ name }) => name))
  const kept = target.fields.filter(({ name }) => written.has(name)).map(withoutWords)
  return {
    key,
    records: {
      target: { ...target, fields: kept },
      options: record.options.parse(options),
      onReject,
      ...(flow.maxQuarantined ? { most: flow.maxQuarantined } : {}),
    },
  }
}

async function targetOf(record: RecordSink, session: Session, object: string, names: string[]): Promise<RecordTarget> {
  try {
    return await record.target(session, object, names)
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== 'missing') throw error
    const advice = 'Name one that the login may see: `lakeward objects CONNECTION`.'
    throw new InputError([{ what: `${session.connection} has no ${object}`, where: 'source.objects[0].into', advice }])
  }
}

/** What people call it is nothing that an entry needs. */
function withoutWords(field: TargetField): TargetField {
  const kept = { ...field }
  delete kept.label
  delete kept.sourceType
  return kept
}
