/** `kill -9` at each step, of a worker whose lake is a directory. */
import { describeWithTemporal } from '../temporal.ts'
import { killCases } from './kill-cases.ts'

describeWithTemporal('a worker that is killed', (temporal) => killCases(temporal, 'file'))
