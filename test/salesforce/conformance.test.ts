import { describe, it } from 'vitest'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { sourceConformance } from '../conformance/index.ts'
import { openOrg } from './org-harness.ts'

sourceConformance({ describe, it }, { name: 'Salesforce', connector: salesforce, open: () => openOrg('Account') })
