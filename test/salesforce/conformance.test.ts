import { describe, it } from 'vitest'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { sourceConformance } from '../conformance/index.ts'
import { runSourceCase, type SourceCase } from '../conformance/source.ts'
import { openOrg } from './org-harness.ts'

const FILTERS = 'a filter that is pushed down leaves out nothing that ours lets through'

sourceConformance({ describe, it }, { name: 'Salesforce', connector: salesforce, open: () => openOrg('Account') })
sourceConformance(
  { describe, it },
  {
    name: 'Salesforce by Bulk jobs',
    connector: salesforce,
    open: () => openOrg('Account', { api: 'bulk' }, {}, { resultPages: false, polls: 1 }),
    // A job for every filter there is.
    ...(process.env['LAKEWARD_THOROUGH']
      ? {}
      : { waive: { [FILTERS]: 'by LAKEWARD_THOROUGH: the conditions are those of pages' } }),
  },
)

const ODD: [what: string, name: SourceCase, open: () => ReturnType<typeof openOrg>][] = [
  [
    'parallel result pages of a job',
    'resume: every cursor gives exactly the rest',
    () => openOrg('Account', { api: 'bulk' }),
  ],
  [
    'whole compound fields',
    'every value is the true one',
    () => openOrg('Opportunity', { compound: 'json' }, { ties: 0 }),
  ],
  [
    'locators that end with their session',
    'a token that ends in mid-read is renewed',
    () => openOrg('Account', {}, { locatorsPerSession: true }),
  ],
  [
    'data at another address than the login',
    'resume: every cursor gives exactly the rest',
    () => openOrg('Account', {}, { separateInstance: true }),
  ],
]

describe('Salesforce with', () => {
  it.each(ODD)('%s: %s', (_, name, open) => runSourceCase(name, { name: 'Salesforce', connector: salesforce, open }))
})
