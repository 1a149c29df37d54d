/**
 * The fields of the bench's records, in the order in which a query of all of them names them: what the vendor
 * describes, and what each of them is to DuckDB.
 */
export interface Column {
  name: string
  /** As `sobjects/<object>/describe` tells it. */
  described: { type: string; length?: number; precision?: number; scale?: number }
  /** DuckDB's type of the same values. */
  duck: string
}

const of = (duck: string, type: string, more: Omit<Column['described'], 'type'> = {}) => ({ duck, type, ...more })
const text = (length: number, type = 'string') => of('VARCHAR', type, { length })
const reference = text(18, 'reference')
const picklist = text(255, 'picklist')
const stamp = of('TIMESTAMPTZ', 'datetime')
const flag = of('BOOLEAN', 'boolean')
const date = of('DATE', 'date')
const money = of('DECIMAL(18,2)', 'currency', { precision: 18, scale: 2 })
/** Without a precision they are doubles to us: DuckDB reads no decimals of 15 places from JSON, only doubles. */
const degrees = of('DOUBLE', 'double')

const fields = {
  Id: text(18, 'id'),
  SystemModstamp: stamp,
  IsDeleted: flag,
  MasterRecordId: reference,
  Name: text(255),
  Type: picklist,
  ParentId: reference,
  BillingStreet: text(255, 'textarea'),
  BillingCity: text(40),
  BillingState: text(80),
  BillingPostalCode: text(20),
  BillingCountry: text(80),
  BillingLatitude: degrees,
  BillingLongitude: degrees,
  Phone: text(40, 'phone'),
  Fax: text(40, 'phone'),
  AccountNumber: text(40),
  Website: text(255, 'url'),
  Industry: picklist,
  AnnualRevenue: money,
  NumberOfEmployees: of('INTEGER', 'int'),
  Ownership: picklist,
  TickerSymbol: text(20),
  Description: text(32_000, 'textarea'),
  Rating: picklist,
  Site: text(80),
  OwnerId: reference,
  CreatedDate: stamp,
  CreatedById: reference,
  LastModifiedDate: stamp,
  LastModifiedById: reference,
  LastActivityDate: date,
  AccountSource: picklist,
  StageName: picklist,
  Amount: money,
  Probability: of('DECIMAL(3,0)', 'percent', { precision: 3, scale: 0 }),
  CloseDate: date,
  ForecastCategory: picklist,
  HasOpenActivity: flag,
  Email__c: text(80, 'email'),
}

export const columns: Column[] = Object.entries(fields).map(([name, { duck, ...described }]) => ({
  name,
  described,
  duck,
}))

export const columnNames = columns.map(({ name }) => name)

/** The description of the object as the vendor gives it. */
export function describedFields(): object[] {
  return columns.map(({ name, described }) => ({
    name,
    label: name,
    nillable: !['Id', 'IsDeleted', 'SystemModstamp', 'CreatedDate'].includes(name),
    precision: 0,
    scale: 0,
    length: 0,
    filterable: described.type !== 'textarea',
    sortable: described.type !== 'textarea',
    compoundFieldName: null,
    deprecatedAndHidden: false,
    ...described,
  }))
}
