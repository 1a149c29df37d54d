import { describe, it } from 'vitest'
import { tableConformance } from '../conformance/index.ts'
import { loadOf, rowsIn, sessionOf, table } from './loads.ts'
import { useWarehouse } from './warehouse.ts'

const warehouse = useWarehouse()

tableConformance(
  { describe, it },
  {
    name: 'Redshift',
    open: async () => ({
      table,
      session: sessionOf(warehouse),
      stage: (schema, rows, load) => loadOf(warehouse, schema, rows, load, 2),
      async rows(name) {
        const { rows } = await warehouse.redshift.look(`SELECT to_regclass('${name}')::text`)
        return rows[0]?.[0] ? rowsIn(warehouse, name) : null
      },
      hold() {
        let go = (): void => {}
        const held = new Promise<void>((resolve) => (go = resolve))
        warehouse.redshift.gate(({ parts }, at) =>
          at === 'commit' && parts.some(({ sql }) => sql.startsWith('COPY')) ? held : undefined,
        )
        return () => {
          warehouse.redshift.gate()
          go()
        }
      },
      close: async () => warehouse.redshift.gate(),
    }),
  },
)
