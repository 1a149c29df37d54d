/** What a flow says of its destination, against what the destination is. */
import { expect, it } from 'vitest'
import { checkTarget, parseFlow } from '../../connectors/flow.ts'
import { connector } from '../../connectors/index.ts'

const flow = (destination: object, object: object = {}) =>
  parseFlow({
    version: 1,
    name: 'f',
    source: { connection: 'crm', objects: [{ object: 'Account', ...object }] },
    destination: { connection: 'there', ...destination },
  })

it.each<[string, object, object, RegExp]>([
  ['file', { write: 'upsert' }, {}, /destination\.write: file has no write 'upsert'\n.*append \| replace/],
  ['file', {}, { keys: ['Id'] }, /objects\[0\]\.keys: file holds files, and nothing in them is found by keys/],
  ['s3', { options: { a: 1 } }, {}, /destination\.options: a destination of s3 has no options/],
  ['s3', { onReject: 'fail' }, {}, /destination\.onReject: s3 refuses no single records/],
  ['redshift', { format: 'csv' }, {}, /destination\.format: `format` is for files, and redshift has none/],
  ['redshift', { prefix: 'a/b' }, {}, /destination\.prefix: `prefix` is for files/],
  ['redshift', { partitionBy: ['{date:CreatedDate}'] }, {}, /destination\.partitionBy: /],
  ['redshift', { write: 'update' }, {}, /redshift has no write 'update'\n.*append \| replace \| upsert/],
  ['salesforce', { layout: 'appflow' }, {}, /destination\.layout: /],
  ['salesforce', { options: { load: 'never' } }, {}, /destination\.options/],
  ['salesforce', {}, { includeDeleted: true }, /no write of salesforce says what becomes of records that are deleted/],
])('%s with %j and %j is refused', async (name, destination, object, message) => {
  const target = await connector(name)
  expect(() => checkTarget(flow(destination, object), target)).toThrow(message)
})

it.each<[string, object, object]>([
  ['file', { write: 'append', format: 'csv', prefix: 'a' }, {}],
  ['redshift', { write: 'upsert' }, { keys: ['Id'] }],
  ['salesforce', { write: 'upsert', onReject: 'fail' }, { keys: ['External_Key__c'] }],
  ['salesforce', { write: 'delete' }, {}],
])('%s with %j and %j is taken', async (name, destination, object) => {
  const target = await connector(name)
  expect(() => checkTarget(flow(destination, object), target)).not.toThrow()
})
