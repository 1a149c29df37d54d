/** What an object lets be written, by its description. */
import type { Session } from '../../connector.ts'
import type { RecordTarget, TargetField } from '../../record-sink.ts'
import { ConnectorError } from '../../errors.ts'
import { type DescribedField, type DescribedObject, schemaOf } from '../describe.ts'
import { describeObject } from '../objects.ts'

interface WritableField extends DescribedField {
  createable?: boolean
  updateable?: boolean
  defaultedOnCreate?: boolean
  externalId?: boolean
  idLookup?: boolean
  caseSensitive?: boolean
  referenceTo?: string[]
  relationshipName?: string | null
}

/** `Account__r.Number__c`: a parent, named by its external id. */
const PATH = /^(\w+)\.(\w+)$/

export async function describeTarget(session: Session, object: string, names: string[]): Promise<RecordTarget> {
  const described = await describeObject(session, object)
  const fields = described.fields as WritableField[]
  const plain = fieldsOf(described)
  const parents: TargetField[] = []
  for (const name of names) {
    const [, relation, key = ''] = PATH.exec(name) ?? []
    const reference = fields.find(({ relationshipName }) => relation !== undefined && relationshipName === relation)
    if (!reference) continue
    const [first = '', ...others] = reference.referenceTo ?? []
    if (others.length > 0) throw ambiguous(object, name)
    const found = fieldsOf(await describeObject(session, first)).find((one) => one.name === key && one.key)
    const own = plain.find((one) => one.name === reference.name)
    // An absent one is told by whoever compares names with the target's fields.
    if (found && own) parents.push({ ...own, name, type: found.type, of: own.name, spec: { relation: relation!, key } })
  }
  return { object: described.name, fields: [...plain, ...parents] }
}

function fieldsOf(described: DescribedObject): TargetField[] {
  const byName = new Map((described.fields as WritableField[]).map((field) => [field.name, field]))
  const { fields } = schemaOf(described, { compound: 'parts', numbers: 'decimal' })
  return fields.map((field): TargetField => {
    const { type, createable, updateable, nillable, defaultedOnCreate, ...own } = byName.get(field.name)!
    const parent = type === 'reference' && !own.referenceTo?.includes('User')
    return {
      ...field,
      create: createable === true,
      update: updateable === true,
      required: createable === true && nillable === false && defaultedOnCreate !== true,
      key: type === 'id' || own.externalId === true || own.idLookup === true,
      ...(parent ? { parent } : {}),
    }
  })
}

function ambiguous(object: string, name: string): ConnectorError {
  return new ConnectorError({
    connector: 'salesforce',
    doing: `describe ${object}`,
    kind: 'rejected',
    reason: `${name} may be of several objects`,
    advice: "Write the parent's Id instead.",
  })
}
