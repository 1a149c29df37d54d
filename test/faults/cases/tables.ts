/** Tables: the transaction of a load killed at its parts, the ledger's documents, and a Data API that fails. */
import type { Fault } from '../../sandboxes/redshift/redshift.ts'
import type { TableCase } from '../table-wave.ts'

const kills: TableCase[] = (
  [
    ['the first statement of the load', { part: 0 }],
    ['a quarter of the load', { part: 0.25 }],
    ['the middle of the load', { part: 0.5 }],
    ['three quarters of the load', { part: 0.75 }],
    ['the last statement of the load', { part: 1 }],
    ['the commit of the load', { part: 'commit' }],
    ['before the load is noted', { method: 'PUT', path: 'deliveries/00000001/try-1', done: 0 }],
    ['after the load was noted', { method: 'PUT', path: 'deliveries/00000001/try-1', done: 1 }],
    ['before the entry', { method: 'PUT', path: 'commits/00000001\\.json', done: 0 }],
    ['after the entry', { method: 'PUT', path: 'commits/00000001\\.json', done: 1 }],
    ['before the outcome', { method: 'PUT', path: 'commits/00000001\\.outcome', done: 0 }],
    ['after the outcome', { method: 'PUT', path: 'commits/00000001\\.outcome', done: 1 }],
    ['before the receipt', { method: 'PUT', path: 'commits/00000001\\.delivered', done: 0 }],
    ['after the receipt', { method: 'PUT', path: 'commits/00000001\\.delivered', done: 1 }],
    ['before the notes go', { method: 'DELETE', path: 'deliveries/00000001/', done: 0 }],
  ] as [string, NonNullable<TableCase['kill']>][]
).map(([step, kill]) => ({ step, fault: 'kill -9', kill }))

const operations = ['ExecuteStatement', 'BatchExecuteStatement', 'DescribeStatement', 'GetStatementResult']
const faults: [string, Omit<Fault, 'operation'>][] = [
  ['answer lost', { loseAnswer: true, times: 1 }],
  ['500', { times: 1 }],
  ['throttled', { type: 'ThrottlingException', status: 400, times: 2 }],
  ['HTML with status 200', { spoilt: 'html', times: 1 }],
  ['connection cut in the answer', { spoilt: 'truncated', times: 1 }],
]

export const tables: TableCase[] = [
  ...kills,
  ...operations.flatMap((operation) =>
    faults.map(([fault, api]): TableCase => ({ step: operation, fault, api: { operation, ...api } })),
  ),
]
