/** One set of kept-alive connections per connection of the installation, shared by all its sessions in this process. */
import { Wire } from '../connectors/exchange.ts'
import type { WireOptions } from '../connectors/exchange.ts'

export interface Wires {
  of(connection: string): Wire
  close(): Promise<void>
}

export function createWires(options: WireOptions | ((connection: string) => WireOptions) = {}): Wires {
  const open = new Map<string, Wire>()
  return {
    of(connection) {
      let wire = open.get(connection)
      if (!wire) open.set(connection, (wire = new Wire(typeof options === 'function' ? options(connection) : options)))
      return wire
    },
    async close() {
      const wires = [...open.values()]
      open.clear()
      await Promise.all(wires.map((wire) => wire.close()))
    },
  }
}
