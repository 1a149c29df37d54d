/** Redshift as a source: the suite of sources over a table of every type, and what is odd about it. */
import { describe, it } from 'vitest'
import { redshift } from '../../connectors/redshift/redshift.ts'
import { sourceConformance } from '../conformance/index.ts'
import { openTable } from './source-harness.ts'
import { useWarehouse } from './warehouse.ts'

const warehouse = useWarehouse()

sourceConformance(
  { describe, it },
  {
    name: 'Redshift, in pages',
    connector: redshift,
    open: () => openTable(warehouse),
    waive: {
      'deleted records come as deletes, where they are asked for': 'a table does not show what was deleted',
      'a token that ends in mid-read is renewed': 'keys of AWS are renewed by their provider, before they end',
      ...(!process.env['LAKEWARD_THOROUGH'] && {
        'a filter that is pushed down leaves out nothing that ours lets through':
          'it takes hundreds of statements: LAKEWARD_THOROUGH=1',
      }),
      'throttled with Retry-After: waits as long': 'the Data API does not say how long',
    },
  },
)
