/**
 * The rest of the org: a wide standard object, one that knows only its creation, one without any stamp, one that cannot
 * be queried, custom ones, and names that are words of the query language.
 */
import { address, audit, field, isDeleted, type ObjectModel, recordId, system } from './model.ts'
import { word } from './values.ts'

export function otherObjects(): ObjectModel[] {
  return [contact(), invoice(), accountHistory(), ledger(), changeEvent(), group(), orderLine(), user(), organization()]
}

function object(
  name: string,
  keyPrefix: string,
  fields: ObjectModel['fields'],
  more: Partial<ObjectModel> = {},
): ObjectModel {
  const label = name.replace(/__[a-z]+$/, '').replaceAll('_', ' ')
  return { name, label, labelPlural: `${label}s`, keyPrefix, queryable: true, replicateable: true, fields, ...more }
}

function contact(): ObjectModel {
  return object('Contact', '003', [
    recordId('Contact ID'),
    isDeleted(),
    field('MasterRecordId', 'reference', { referenceTo: ['Contact'], make: () => null }),
    field('AccountId', 'reference', { referenceTo: ['Account'] }),
    field('LastName', 'string', {
      length: 80,
      nillable: false,
      compoundFieldName: 'Name',
      extraTypeInfo: 'personname',
    }),
    field('FirstName', 'string', { length: 40, compoundFieldName: 'Name', extraTypeInfo: 'personname' }),
    field('Salutation', 'picklist', { length: 40, compoundFieldName: 'Name', picklist: ['Mr.', 'Ms.', 'Dr.'] }),
    system('Name', 'string', {
      label: 'Full Name',
      length: 121,
      nameField: true,
      extraTypeInfo: 'personname',
      make: (row, _, table) =>
        [table.get(row, 'FirstName'), table.get(row, 'LastName')].filter(Boolean).join(' ') || String(row),
    }),
    ...address('Mailing'),
    field('Phone', 'phone', { label: 'Business Phone', length: 40 }),
    field('Email', 'email', { length: 80, make: (row, hash) => (hash % 6 ? `c${row}@example.com` : null) }),
    field('Title', 'string', { length: 128 }),
    field('Birthdate', 'date'),
    field('Description', 'textarea', { length: 32_000, extraTypeInfo: 'plaintextarea' }),
    field('OwnerId', 'reference', { referenceTo: ['User'], nillable: false }),
    ...audit(),
  ])
}

function invoice(): ObjectModel {
  return object('Invoice__c', 'a0X', [
    recordId('Record ID'),
    field('OwnerId', 'reference', { referenceTo: ['User'], nillable: false }),
    isDeleted(),
    system('Name', 'string', {
      label: 'Invoice Number',
      length: 80,
      nameField: true,
      make: (row) => `INV-${String(row).padStart(6, '0')}`,
    }),
    ...audit(),
    field('Account__c', 'reference', { referenceTo: ['Account'] }),
    field('Number__c', 'string', {
      length: 20,
      externalId: true,
      make: (row) => String(row).padStart(8, '0'),
    }),
    field('Total__c', 'currency', { precision: 16, scale: 2 }),
    field('Due__c', 'date'),
    field('Paid__c', 'boolean'),
    field('Notes__c', 'textarea', { length: 131_072, extraTypeInfo: 'richtextarea' }),
  ])
}

/** Knows when it was created and nothing else: its rows never change. */
function accountHistory(): ObjectModel {
  return object('AccountHistory', '017', [
    recordId('Account History ID'),
    isDeleted(),
    field('AccountId', 'reference', { referenceTo: ['Account'], nillable: false }),
    ...audit(false),
    field('Field', 'picklist', { length: 255, nillable: false, picklist: ['Name', 'Owner', 'created'] }),
    field('DataType', 'picklist', { length: 40, picklist: ['Text', 'EntityId'] }),
    field('OldValue', 'anyType', { filterable: false, sortable: false, length: 255 }),
    field('NewValue', 'anyType', { filterable: false, sortable: false, length: 255 }),
  ])
}

/** An external object: no audit fields, no recycle bin. */
function ledger(): ObjectModel {
  return object(
    'Ledger__x',
    'x00',
    [
      recordId('Record ID'),
      field('ExternalId', 'string', { length: 255, nillable: false, make: (row) => `L-${row}` }),
      field('DisplayUrl', 'url', { length: 1000 }),
      field('Balance__c', 'double', { precision: 18, scale: 4 }),
    ],
    { replicateable: false },
  )
}

function changeEvent(): ObjectModel {
  return object(
    'AccountChangeEvent',
    '',
    [
      recordId('Change Event ID'),
      field('ReplayId', 'string', { length: 255 }),
      field('ChangeEventHeader', 'complexvalue', { filterable: false, sortable: false }),
      field('Name', 'string', { length: 255 }),
    ],
    { queryable: false, replicateable: false },
  )
}

/** A standard object whose name is a word of the query language. */
function group(): ObjectModel {
  return object('Group', '00G', [
    recordId('Group ID'),
    system('Name', 'string', { length: 40, nameField: true, make: (row, hash) => `${word(hash)} ${row}` }),
    field('DeveloperName', 'string', { length: 80 }),
    field('Type', 'picklist', { length: 40, nillable: false, picklist: ['Regular', 'Queue', 'Role'] }),
    ...audit(),
  ])
}

/** A packaged object: namespace, digits, and fields that end like a keyword. */
function orderLine(): ObjectModel {
  return object('acme__Order_Line_2024__c', 'aB5', [
    recordId('Record ID'),
    isDeleted(),
    system('Name', 'string', { length: 80, nameField: true, make: (row) => `#${row}` }),
    ...audit(),
    field('acme__Order__c', 'string', { length: 18 }),
    field('acme__Limit__c', 'double', { precision: 6, scale: 3 }),
    field('acme__From__c', 'datetime'),
  ])
}

function user(): ObjectModel {
  return object('User', '005', [
    recordId('User ID'),
    field('Username', 'string', { length: 80, nillable: false, make: (row) => `user${row}@acme.example` }),
    system('Name', 'string', { length: 121, nameField: true, make: (row) => `User ${row}` }),
    field('IsActive', 'boolean', { make: (row) => row !== 2 }),
    field('Email', 'email', { length: 128, nillable: false, make: (row) => `user${row}@acme.example` }),
    ...audit(),
  ])
}

function organization(): ObjectModel {
  return object(
    'Organization',
    '00D',
    [
      system('Id', 'id', { label: 'Organization ID', make: (_, __, table) => table.org.id }),
      field('Name', 'string', { length: 80, nillable: false, make: () => 'Acme (sandbox)' }),
      field('OrganizationType', 'picklist', {
        length: 40,
        make: () => 'Developer Edition',
        picklist: ['Developer Edition'],
      }),
      field('InstanceName', 'string', { length: 5, make: () => 'CS420' }),
      field('IsSandbox', 'boolean', { make: () => true }),
      field('NamespacePrefix', 'string', { length: 15, make: () => null }),
      ...audit(),
    ],
    { replicateable: false },
  )
}
