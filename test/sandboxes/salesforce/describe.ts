/**
 * The org's objects and their descriptions.
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_describeGlobal.htm
 */
import type { FieldModel, ObjectModel } from './model.ts'
import type { Table } from './table.ts'

const SOAP_TYPES: Record<string, string> = {
  id: 'tns:ID',
  reference: 'tns:ID',
  boolean: 'xsd:boolean',
  int: 'xsd:int',
  double: 'xsd:double',
  currency: 'xsd:double',
  percent: 'xsd:double',
  date: 'xsd:date',
  datetime: 'xsd:dateTime',
  time: 'xsd:time',
  address: 'urn:address',
  location: 'urn:location',
  anyType: 'xsd:anyType',
  complexvalue: 'urn:JSON',
}

export function describeGlobal(tables: Iterable<Table>, version: string): object {
  const sobjects = Array.from(tables, ({ model }) => summary(model, version))
  return { encoding: 'UTF-8', maxBatchSize: 200, sobjects }
}

export function describeObject(table: Table, version: string): object {
  const { model } = table
  return {
    actionOverrides: [],
    childRelationships: [],
    compactLayoutable: true,
    ...summary(model, version),
    fields: model.fields.map(describeField),
    hasSubtypes: false,
    listviewable: null,
    lookupLayoutable: null,
    namedLayoutInfos: [],
    networkScopeFieldName: null,
    recordTypeInfos: [],
    searchLayoutable: true,
    sobjectDescribeOption: 'FULL',
    supportedScopes: [{ label: `All ${model.labelPlural.toLowerCase()}`, name: 'everything' }],
  }
}

export function summary(model: ObjectModel, version: string): object {
  const { name, label, labelPlural, keyPrefix, queryable, replicateable } = model
  const root = `/services/data/v${version}/sobjects/${name}`
  return {
    activateable: false,
    associateEntityType: null,
    associateParentEntity: null,
    createable: queryable,
    custom: /__[a-z]+$/.test(name),
    customSetting: false,
    deepCloneable: false,
    deletable: queryable,
    deprecatedAndHidden: false,
    feedEnabled: false,
    hasSubtypes: false,
    isInterface: false,
    isSubtype: false,
    keyPrefix: keyPrefix || null,
    label,
    labelPlural,
    layoutable: queryable,
    mergeable: name === 'Account' || name === 'Contact',
    mruEnabled: queryable,
    name,
    queryable,
    replicateable,
    retrieveable: queryable,
    searchable: queryable,
    triggerable: queryable,
    undeletable: replicateable,
    updateable: queryable,
    urls: { rowTemplate: `${root}/{ID}`, describe: `${root}/describe`, sobject: root },
  }
}

function describeField(field: FieldModel): object {
  const { name, type, length, createable, updateable, nillable } = field
  const text = !(type in SOAP_TYPES)
  const number = type === 'double' || type === 'currency' || type === 'percent'
  const compound = type === 'address' || type === 'location'
  const groupable = field.filterable && !number && !compound && type !== 'datetime' && type !== 'multipicklist'
  return {
    aggregatable: field.sortable && type !== 'boolean',
    aiPredictionField: false,
    autoNumber: false,
    byteLength: type === 'id' || type === 'reference' ? length : text ? length * 3 : 0,
    calculated: field.calculated || compound,
    calculatedFormula: field.calculated ? "IF(AnnualRevenue > 1000000, 'large', '')" : null,
    cascadeDelete: false,
    caseSensitive: field.caseSensitive,
    compoundFieldName: field.compoundFieldName,
    controllerName: null,
    createable,
    custom: /__[cs]$/.test(name),
    defaultValue: type === 'boolean' ? false : null,
    defaultValueFormula: null,
    defaultedOnCreate: type === 'boolean' || name === 'OwnerId' || (!nillable && !createable),
    dependentPicklist: false,
    deprecatedAndHidden: false,
    digits: field.digits,
    displayLocationInDecimal: type === 'location',
    encrypted: type === 'encryptedstring',
    externalId: field.externalId,
    extraTypeInfo: field.extraTypeInfo,
    filterable: field.filterable,
    filteredLookupInfo: null,
    formulaTreatNullNumberAsZero: false,
    groupable,
    highScaleNumber: false,
    htmlFormatted: field.extraTypeInfo === 'richtextarea',
    idLookup: type === 'id' || field.externalId || type === 'email',
    inlineHelpText: null,
    label: field.label,
    length,
    mask: null,
    maskType: null,
    name,
    nameField: field.nameField,
    namePointing: false,
    nillable,
    permissionable: createable && nillable,
    picklistValues: field.picklist.map((value) => ({
      active: true,
      defaultValue: false,
      label: value,
      validFor: null,
      value,
    })),
    polymorphicForeignKey: false,
    precision: field.precision,
    queryByDistance: type === 'location',
    referenceTargetField: null,
    referenceTo: field.referenceTo,
    relationshipName: field.relationshipName,
    relationshipOrder: null,
    restrictedDelete: false,
    restrictedPicklist: false,
    scale: field.scale,
    searchPrefilterable: false,
    soapType: SOAP_TYPES[type] ?? 'xsd:string',
    sortable: field.sortable,
    type,
    unique: field.externalId,
    updateable,
    writeRequiresMasterRead: false,
  }
}
