/**
 * Account: the standard fields that matter and one custom field of every other type. Forty fields and two compounds.
 */
import { address, audit, field, isDeleted, type ObjectModel, recordId } from './model.ts'
import { hurting, HURTING_TEXT, word } from './values.ts'

export function account(): ObjectModel {
  return {
    name: 'Account',
    label: 'Account',
    labelPlural: 'Accounts',
    keyPrefix: '001',
    queryable: true,
    replicateable: true,
    fields: [
      recordId('Account ID'),
      isDeleted(),
      field('MasterRecordId', 'reference', {
        referenceTo: ['Account'],
        createable: false,
        updateable: false,
        make: () => null,
      }),
      field('Name', 'string', {
        label: 'Account Name',
        length: 255,
        nillable: false,
        nameField: true,
        extraTypeInfo: 'switchablepersonname',
        make: (row, hash) => hurting(NAMES, row, hash) ?? `${word(hash)} ${word(hash >>> 7)} ${row}`,
      }),
      field('Type', 'picklist', { length: 40, picklist: ['Prospect', 'Customer - Direct', 'Partner', 'N/A'] }),
      field('ParentId', 'reference', { referenceTo: ['Account'] }),
      ...address('Billing'),
      field('Phone', 'phone', { length: 40, make: (_, hash) => (hash % 9 ? `+49${hash}` : null) }),
      field('Fax', 'phone', { length: 40 }),
      field('AccountNumber', 'string', {
        length: 40,
        make: (row, hash) => hurting(NUMBERLIKE, row, hash) ?? String(hash % 1_000_000).padStart(6, '0'),
      }),
      field('Website', 'url', {
        length: 255,
        make: (_, hash) => (hash % 5 ? `https://example.com/?a=${hash}&b='` : null),
      }),
      field('Industry', 'picklist', { length: 40, picklist: ['Banking', 'Energy', 'Food & Beverage', "Men's Wear"] }),
      field('AnnualRevenue', 'currency', { precision: 18, scale: 0 }),
      field('NumberOfEmployees', 'int'),
      field('Description', 'textarea', { length: 32_000, extraTypeInfo: 'plaintextarea' }),
      field('Rating', 'picklist', { length: 40, picklist: ['Hot', 'Warm', 'Cold'] }),
      field('OwnerId', 'reference', { referenceTo: ['User'], nillable: false }),
      ...audit(),
      field('LastActivityDate', 'date', { createable: false, updateable: false }),
      field('Jigsaw', 'string', { length: 20 }),
      field('External_Key__c', 'string', { length: 30, externalId: true, caseSensitive: true, label: 'External Key' }),
      field('Contract_Value__c', 'currency', { precision: 18, scale: 2 }),
      field('Discount__c', 'percent', { precision: 5, scale: 2 }),
      field('Founded__c', 'date'),
      field('Opens_At__c', 'time'),
      field('Last_Audit__c', 'datetime'),
      field('Active__c', 'boolean'),
      field('Regions__c', 'multipicklist', { length: 4099, picklist: ['EMEA', 'APAC', 'AMER', 'N/A'] }),
      field('Revenue_Band__c', 'string', {
        length: 1300,
        calculated: true,
        make: (row, _, table) => (Number(table.get(row, 'AnnualRevenue') ?? 0) > 1_000_000 ? 'large' : ''),
      }),
    ],
  }
}

const NAMES = HURTING_TEXT.filter((text) => text !== '')
const NUMBERLIKE = [
  '01234',
  '1e5',
  '+49123',
  '-0',
  '0x1F',
  '1_000',
  '१२३',
  '00',
  '9007199254740993',
  '.5',
  '1.',
  'Infinity',
]
