/**
 * The other side of the sandbox: what a test does to the org and asks about it. Every call takes one JSON object and
 * gives JSON, so that it works over HTTP too (`POST /__control/<name>`), from any process.
 */
import type { BulkBehaviour, BulkQueries } from './bulk-query.ts'
import type { Fault, Faults } from './faults.ts'
import { field, type FieldOptions } from './model.ts'
import { atScale } from './numbers.ts'
import type { OAuth } from './oauth.ts'
import type { SalesforceOrg } from './org.ts'
import type { Ingest } from './ingest.ts'
import type { Pages } from './pages.ts'
import type { Journal } from './journal.ts'
import type { Table } from './table.ts'
import type { Lock, Rule } from './write-rules.ts'
import type { Writer } from './writer.ts'

type Rows = {
  object: string
  ids: string[]
  /** ISO instant; the org's clock in whole seconds unless said. */
  stamp?: string
}

export interface Behaviour {
  /** Requests a day, and how many are used up. */
  maxRequests: number
  usedRequests: number
  /** Time that every page of records takes, milliseconds. */
  pageMs: number
}

export interface Parts {
  org: SalesforceOrg
  oauth: OAuth
  pages: Pages
  writer: Writer
  ingest: Ingest
  bulk: BulkQueries
  faults: Faults
  journal: Journal
  behaviour: Behaviour
}

export type Control = ReturnType<typeof createControl>

export function createControl({ org, oauth, pages, writer, ingest, bulk, faults, journal, behaviour }: Parts) {
  const table = (object: string): Table => {
    const found = org.table(object)
    if (!found) throw new RangeError(`no object ${object}`)
    return found
  }
  const stampOf = (stamp?: string): number => (stamp ? Date.parse(stamp) : Math.floor(org.now() / 1000) * 1000)
  const each = (rows: Rows, change: (table: Table, row: number, stamp: number) => void): { ids: string[] } => {
    const of = table(rows.object)
    for (const id of rows.ids) {
      const row = of.row(id)
      if (row < 0) throw new RangeError(`no ${rows.object} ${id}`)
      change(of, row, stampOf(rows.stamp))
    }
    return { ids: rows.ids }
  }

  return {
    // ---------------------------------------------------------------------------------------------------- requests
    /** Forgets counts, log and what was served. */
    reset(): null {
      journal.reset()
      pages.forgetServed()
      return null
    },
    /** Requests by route: `token`, `query`, `queryMore`, `describe` … */
    counts: () => journal.counts(),
    /** The requests since the last reset, oldest first. */
    log: () => journal.log(),
    /** Records given out since the last reset: in all, different ones, and those given out more than once. */
    served: ({ object }: { object: string }) => ({ ...pages.servedRows(table(object)), pages: journal.pages(object) }),

    // -------------------------------------------------------------------------------------------------------- rows
    /** Ids in the order of creation; `deleted` picks live rows (false), deleted ones (true) or all. */
    ids({
      object,
      offset = 0,
      limit = 1000,
      deleted,
    }: {
      object: string
      offset?: number
      limit?: number
      deleted?: boolean
    }): string[] {
      const of = table(object)
      const found: string[] = []
      for (let row = offset; row < of.size && found.length < limit; row++) {
        if (of.visible(row, true) && (deleted === undefined || of.isDeleted(row) === deleted)) found.push(of.id(row))
      }
      return found
    },
    insert({
      object,
      rows,
      count,
      stamp,
      hidden = false,
    }: {
      object: string
      rows?: Record<string, unknown>[]
      count?: number
      stamp?: string
      hidden?: boolean
    }): { ids: string[] } {
      const of = table(object)
      const values = rows ?? Array.from({ length: count ?? 1 }, () => ({}))
      const made = values.map((one) => of.insert(one, stampOf(stamp)))
      if (hidden) for (const row of made) of.setHidden(row, true)
      return { ids: made.map((row) => of.id(row)) }
    },
    update: ({ values, ...rows }: Rows & { values: Record<string, unknown> }) =>
      each(rows, (of, row, stamp) => of.update(row, values, stamp)),
    delete: (rows: Rows) => each(rows, (of, row, stamp) => of.setDeleted(row, true, stamp)),
    undelete: (rows: Rows) => each(rows, (of, row, stamp) => of.setDeleted(row, false, stamp)),
    /** Gone from the recycle bin too. */
    purge: (rows: Rows) => each(rows, (of, row) => of.setHidden(row, true)),
    /** Written but not yet seen by anybody, until `show`: commits that are late. */
    hide: (rows: Rows) => each(rows, (of, row) => of.setHidden(row, true)),
    show: (rows: Rows) => each(rows, (of, row) => of.setHidden(row, false)),

    // ------------------------------------------------------------------------------------------------------ writes
    /** Validation rules of the org, in place of those it had. */
    rules({ rules }: { rules: Rule[] }): null {
      writer.rules.rules = rules
      return null
    },
    /** Somebody holds these records, for so many tries. */
    lock(lock: Lock): null {
      writer.rules.locks.push(lock)
      return null
    },
    /** Ingest jobs: how often a closed one is asked for before it is done, and rows of one piece of its work. */
    ingest({ polls, chunkRows }: { polls?: number; chunkRows?: number }): null {
      ingest.polls = polls ?? ingest.polls
      ingest.chunkRows = chunkRows ?? ingest.chunkRows
      return null
    },
    /** Ingest jobs there are, with their states. */
    jobs: () =>
      Array.from(ingest.jobs.values(), ({ id, operation, object, state }) => ({ id, operation, object, state })),

    // ---------------------------------------------------------------------------------------------------- queries
    /** What becomes of Bulk queries from now on. */
    bulk: (change: Partial<BulkBehaviour>) => Object.assign(bulk.behaviour, change),
    /** Bulk queries there are, with their states. */
    queryJobs: () =>
      Array.from(bulk.jobs.values(), ({ id, operation, object, state }) => ({ id, operation, object, state })),
    /** They are gone, and their results too. */
    forgetQueryJobs(): null {
      bulk.jobs.clear()
      return null
    },

    // ------------------------------------------------------------------------------------------------------ fields
    /** New fields are null in the rows there are; `fill` gives them values, and no row a new stamp. */
    addField({
      object,
      name,
      type,
      options = {},
      fill = false,
    }: {
      object: string
      name: string
      type: string
      options?: Omit<FieldOptions, 'make' | 'millis'>
      fill?: boolean
    }): null {
      table(object).addField(field(name, type, fill ? options : { ...options, make: () => null }))
      return null
    },
    removeField({ object, name }: { object: string; name: string }): null {
      table(object).removeField(name)
      return null
    },

    // ---------------------------------------------------------------------------------------------------- sessions
    expireTokens(): null {
      oauth.expireAccess()
      return null
    },
    expireLocators(): null {
      pages.expire()
      return null
    },
    /** The login itself is gone: a person must act. */
    revokeRefreshTokens(): null {
      oauth.revokeRefresh()
      return null
    },
    /** A person logs in again. */
    login({ refreshToken }: { refreshToken: string }): null {
      oauth.login(refreshToken)
      return null
    },
    /** The connection reaches another org from now on. */
    setOrg({ orgId }: { orgId: string }): null {
      org.id = orgId
      return null
    },
    /** Epoch milliseconds by the org's clock. */
    now: () => org.now(),
    /** Moves the org's clock away from ours. */
    clock({ offsetMs }: { offsetMs: number }): null {
      org.clockOffset = offsetMs
      return null
    },

    // ----------------------------------------------------------------------------------------------------- trouble
    fault(fault: Fault): null {
      faults.add(fault)
      return null
    },
    /** Also lets go what `stall` holds. */
    clearFaults(): null {
      faults.clear()
      return null
    },
    pendingFaults: () => faults.pending(),
    behave(change: Partial<Behaviour>): Behaviour {
      return Object.assign(behaviour, change)
    },

    // ------------------------------------------------------------------------------------------------------- truth
    /** Every record as it is now, every value as exact text; hidden ones are left out. */
    *truth(object: string, { includeDeleted = false } = {}): Generator<Record<string, string | null>> {
      const of = table(object)
      const columns = of.model.fields.map((one) => of.column(one.name)!)
      for (let row = 0; row < of.size; row++) {
        if (!of.visible(row, includeDeleted)) continue
        const record: Record<string, string | null> = {}
        for (const column of columns) {
          const value = of.value(row, column)
          const exact =
            typeof value === 'string' && column.kind === 'number' ? atScale(value, column.field.scale) : value
          record[column.field.name] = exact === null ? null : String(exact)
        }
        yield record
      }
    },
  }
}
