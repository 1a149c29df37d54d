/**
 * `kill -9` at each step, of a worker whose lake is a bucket: with LAKEWARD_THOROUGH=1, or LAKEWARD_TEST_LAKE=moto for
 * moto's. The fault matrix in small (`test/faults/`) strikes the same points.
 */
import { describe } from 'vitest'
import { describeWithTemporal } from '../temporal.ts'
import { killCases } from './kill-cases.ts'

const lake = process.env['LAKEWARD_TEST_LAKE'] === 'moto' ? 'moto' : 'versitygw'
const isAsked = lake === 'moto' || process.env['LAKEWARD_THOROUGH'] === '1'

describe.runIf(isAsked)('the fault matrix is not all', () => {
  describeWithTemporal(`a worker that is killed, its lake on ${lake}`, (temporal) => killCases(temporal, lake))
})
