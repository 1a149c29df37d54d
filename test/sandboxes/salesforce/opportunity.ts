/** Opportunity: amounts beyond a double's precision, dates at the calendar's edges, a geolocation. */
import { audit, field, isDeleted, location, type ObjectModel, recordId, system } from './model.ts'
import { hurting, HURTING_TEXT, word } from './values.ts'

const STAGES = ['Prospecting', 'Qualification', 'Negotiation/Review', 'Closed Won', 'Closed Lost']

export function opportunity(): ObjectModel {
  return {
    name: 'Opportunity',
    label: 'Opportunity',
    labelPlural: 'Opportunities',
    keyPrefix: '006',
    queryable: true,
    replicateable: true,
    fields: [
      recordId('Opportunity ID'),
      isDeleted(),
      field('AccountId', 'reference', { referenceTo: ['Account'] }),
      field('IsPrivate', 'boolean'),
      field('Name', 'string', {
        length: 120,
        nillable: false,
        nameField: true,
        make: (row, hash) => hurting(NAMES, row, hash) ?? `${word(hash)} deal ${row}`,
      }),
      field('Description', 'textarea', { length: 32_000, extraTypeInfo: 'plaintextarea' }),
      field('StageName', 'picklist', { length: 255, nillable: false, picklist: STAGES }),
      field('Amount', 'currency', { precision: 18, scale: 2 }),
      field('Probability', 'percent', { precision: 3, scale: 0 }),
      field('ExpectedRevenue', 'currency', { precision: 18, scale: 2, createable: false, updateable: false }),
      field('TotalOpportunityQuantity', 'double', { label: 'Quantity', precision: 18, scale: 2 }),
      field('CloseDate', 'date', { nillable: false }),
      field('Type', 'picklist', { length: 255, picklist: ['New Business', 'Existing Business'] }),
      field('NextStep', 'string', { length: 255 }),
      field('LeadSource', 'picklist', { length: 255, picklist: ['Web', 'Phone Inquiry', 'Other'] }),
      system('IsClosed', 'boolean'),
      system('IsWon', 'boolean'),
      field('ForecastCategory', 'picklist', {
        length: 40,
        nillable: false,
        createable: false,
        updateable: false,
        picklist: ['Omitted', 'Pipeline', 'Closed'],
      }),
      field('ForecastCategoryName', 'picklist', { length: 40, picklist: ['Omitted', 'Pipeline', 'Closed'] }),
      field('CampaignId', 'reference', { referenceTo: ['Campaign'] }),
      field('HasOpportunityLineItem', 'boolean', { createable: false, updateable: false }),
      field('OwnerId', 'reference', { referenceTo: ['User'], nillable: false }),
      ...audit(),
      field('LastActivityDate', 'date', { createable: false, updateable: false }),
      field('FiscalQuarter', 'int', {
        make: (_, hash) => String(1 + (hash % 4)),
        createable: false,
        updateable: false,
      }),
      field('FiscalYear', 'int', {
        make: (_, hash) => String(2020 + (hash % 6)),
        createable: false,
        updateable: false,
      }),
      field('Fiscal', 'string', { length: 6, make: (_, hash) => `${2020 + (hash % 6)} ${1 + (hash % 4)}` }),
      system('HasOpenActivity', 'boolean', { filterable: false, sortable: false }),
      field('Rate__c', 'double', { precision: 18, scale: 15 }),
      field('Units__c', 'double', { precision: 18, scale: 0 }),
      field('Margin__c', 'percent', { precision: 18, scale: 8 }),
      field('Kickoff__c', 'datetime'),
      field('Call_At__c', 'time'),
      field('Products__c', 'multipicklist', { length: 4099, picklist: ['Core', 'Edge', 'Lake House'] }),
      field('Card__c', 'encryptedstring', { length: 16, make: (_, hash) => (hash % 3 ? '****************' : null) }),
      field('Contact_Email__c', 'email', {
        length: 80,
        make: (_, hash) => (hash % 4 ? `"o'b+${hash}"@example.com` : null),
      }),
      ...location('Site'),
    ],
  }
}

const NAMES = HURTING_TEXT.filter((text) => text !== '')
