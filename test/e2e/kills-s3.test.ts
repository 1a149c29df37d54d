/** `kill -9` at each step, of a worker whose lake is a bucket. LAKEWARD_TEST_LAKE=moto takes moto's. */
import { describeWithTemporal } from '../temporal.ts'
import { killCases } from './kill-cases.ts'

const lake = process.env['LAKEWARD_TEST_LAKE'] === 'moto' ? 'moto' : 'versitygw'

describeWithTemporal(`a worker that is killed, its lake on ${lake}`, (temporal) => killCases(temporal, lake))
