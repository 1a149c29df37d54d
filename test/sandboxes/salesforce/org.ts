/** One org: its tables, its clock, its identity. */
import { account } from './account.ts'
import { idOf } from './ids.ts'
import { opportunity } from './opportunity.ts'
import { otherObjects } from './other-objects.ts'
import { Table } from './table.ts'

export interface OrgSettings {
  seed: number
  accounts: number
  opportunities: number
  contacts: number
  /** Accounts that share one stamp. */
  ties: number
  orgId: string
}

/** Rows of the objects that no setting counts. */
const ROWS: Record<string, number> = {
  Invoice__c: 120,
  AccountHistory: 250,
  Ledger__x: 90,
  Group: 40,
  acme__Order_Line_2024__c: 60,
  User: 7,
  Organization: 1,
}

export class SalesforceOrg {
  id: string
  readonly seed: number
  /** How far the org's clock is from ours, milliseconds. */
  clockOffset = 0
  private readonly tables = new Map<string, Table>()

  constructor(settings: OrgSettings) {
    this.id = settings.orgId
    this.seed = settings.seed
    const rows = {
      Account: settings.accounts,
      Opportunity: settings.opportunities,
      Contact: settings.contacts,
      ...ROWS,
    }
    for (const model of [account(), opportunity(), ...otherObjects()]) {
      const ties = model.name === 'Account' ? settings.ties : 0
      const size = (rows as Record<string, number>)[model.name] ?? 0
      this.tables.set(model.name.toLowerCase(), new Table(model, this, size, ties))
    }
  }

  now(): number {
    return Date.now() + this.clockOffset
  }

  table(object: string): Table | undefined {
    return this.tables.get(object.toLowerCase())
  }

  all(): Iterable<Table> {
    return this.tables.values()
  }

  userId(): string {
    return idOf('005', 0)
  }
}
