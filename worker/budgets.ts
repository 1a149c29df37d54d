/**
 * One budget per connection of the installation, shared by all its sessions in this process. What all workers asked, by
 * connection and hour, lies in the shared state; only connections that count their calls write there.
 */
import { Budget } from '../connectors/budget.ts'
import type { SharedTally } from '../connectors/budget.ts'
import type { Connector } from '../connectors/connector.ts'
import type { Connection } from '../connectors/installation.ts'
import type { StateStore } from './state.ts'

export interface Budgets {
  of(connection: Connection, connector: Connector): Budget
}

const HOURS_KEPT = 25

export function createBudgets(state: () => Promise<StateStore>): Budgets {
  const known = new Map<string, Budget>()
  return {
    of({ name, limits: { dailyCalls } }, connector) {
      let budget = known.get(name)
      if (!budget) {
        budget = new Budget({ connection: name, connector, dailyCalls, tally: sharedTally(state, name) })
        known.set(name, budget)
      }
      return budget
    },
  }
}

function sharedTally(state: () => Promise<StateStore>, connection: string): SharedTally {
  const name = `calls/${connection}`
  return {
    async add(hour, calls) {
      const store = await state()
      for (;;) {
        const { version, value } = await store.read(name)
        const before = (value?.hours ?? {}) as Record<string, number>
        if (calls === 0) return before
        const kept = Object.entries(before).filter(([one]) => Number(one) + HOURS_KEPT > hour)
        const hours: Record<string, number> = Object.fromEntries(kept)
        hours[hour] = (hours[hour] ?? 0) + calls
        if (await store.write(name, { hours }, version)) return hours
      }
    },
  }
}
