import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Sandbox, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { type Client, login } from './org-client.ts'

let sandbox: Sandbox
let client: Client
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 50, opportunities: 10, contacts: 10 })
})
afterAll(() => sandbox.stop())
beforeEach(async () => {
  sandbox.control.rules({ rules: [] })
  client = await login(sandbox)
})

type Outcome = { id?: string; success: boolean; created?: boolean; errors: { statusCode: string; message: string }[] }
const account = (values: object) => ({ attributes: { type: 'Account' }, ...values })
async function write(method: string, path: string, ...records: object[]): Promise<Outcome[]> {
  const answer = await client.send(method, `composite/sobjects${path}`, { allOrNone: false, records })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Outcome[]
}
const valuesOf = (object: string, id: string | undefined) =>
  Array.from(sandbox.control.truth(object)).find(({ Id }) => Id === id)
const codes = (outcomes: Outcome[]) => outcomes.map(({ errors }) => errors[0]?.statusCode ?? 'ok')

describe('what is written', () => {
  it('is told record by record, in their order; a failed one has no id and harms no other', async () => {
    const outcomes = await write('POST', '', account({ Name: 'A' }), account({ Phone: '1' }), account({ Name: 'C' }))
    expect(outcomes.map(({ success }) => success)).toEqual([true, false, true])
    expect(outcomes[1]).toEqual({
      success: false,
      errors: [
        { statusCode: 'REQUIRED_FIELD_MISSING', message: 'Required fields are missing: [Name]', fields: ['Name'] },
      ],
    })
    expect(valuesOf('Account', outcomes[2]!.id)).toMatchObject({ Name: 'C', Phone: null, Active__c: 'false' })
  })

  it('keeps every digit and every letter, and clears what is null', async () => {
    const body = `{"records":[{"attributes":{"type":"Account"},"Name":"O'Brien \\"é\\" #N/A",
      "AnnualRevenue":900719925474099312,
      "Contract_Value__c":"12.50","Founded__c":"2024-02-29","Last_Audit__c":"2024-03-31T03:30:00+0200","Phone":"1"}]}`
    const [made] = (await (await client.send('POST', 'composite/sobjects', body)).json()) as Outcome[]
    await write('PATCH', '', account({ Id: made!.id, Phone: null }))
    expect(valuesOf('Account', made!.id)).toMatchObject({
      Name: `O'Brien "é" #N/A`,
      AnnualRevenue: '900719925474099312',
      Contract_Value__c: '12.50',
      Founded__c: '2024-02-29',
      Last_Audit__c: '2024-03-31T01:30:00.000Z',
      Phone: null,
    })
  })

  it('is found by its external id: made once, changed ever after', async () => {
    const path = '/Account/External_Key__c'
    const first = await write('PATCH', path, account({ External_Key__c: 'k-1', Name: 'first' }))
    const second = await write('PATCH', path, account({ External_Key__c: 'k-1', Name: 'second' }))
    expect([first[0]!.created, second[0]!.created, second[0]!.id]).toEqual([true, false, first[0]!.id])
    expect(valuesOf('Account', first[0]!.id)?.['Name']).toBe('second')
  })

  it('names its parent by the parent external id', async () => {
    const [parent] = await write('POST', '', account({ Name: 'parent', External_Key__c: 'p-1' }))
    const child = (key: string) => ({
      attributes: { type: 'Invoice__c' },
      Number__c: 'n-1',
      Account__r: { External_Key__c: key },
    })
    const outcomes = await write('PATCH', '/Invoice__c/Number__c', child('p-1'))
    expect(valuesOf('Invoice__c', outcomes[0]!.id)?.['Account__c']).toBe(parent!.id)
    expect((await write('PATCH', '/Invoice__c/Number__c', child('p-2')))[0]!.errors[0]!.message).toBe(
      'Foreign key external ID: p-2 not found for field External_Key__c in entity Account',
    )
  })

  it('is deleted once; the second time it is gone', async () => {
    const [made] = await write('POST', '', account({ Name: 'short-lived' }))
    const ask = async () =>
      (await (await client.send('DELETE', `composite/sobjects?ids=${made!.id}`)).json()) as Outcome[]
    expect([...(await ask()), ...(await ask())].map(({ success, errors }) => errors[0]?.statusCode ?? success)).toEqual(
      [true, 'ENTITY_IS_DELETED'],
    )
  })
})

it('refuses a record for each reason there is', async () => {
  const [one] = await write('POST', '', account({ Name: 'x', External_Key__c: 'taken' }))
  sandbox.control.rules({
    rules: [{ object: 'Account', field: 'Industry', matches: '^Energy$', message: 'No energy, please.' }],
  })
  sandbox.control.lock({ ids: [one!.id!], times: 1 })
  const email = { attributes: { type: 'Contact' }, LastName: 'x', Email: 'none' }
  const outcomes = await write(
    'POST',
    '',
    account({ Name: 'x', External_Key__c: 'taken' }),
    account({ Name: 'x', Industry: 'Energy' }),
    account({ Name: 'x', Phone: '1'.repeat(41) }),
    account({ Name: 'x', Discount__c: 1000 }),
    account({ Name: 'x', CreatedDate: '2024-01-01T00:00:00Z' }),
    account({ Name: 'x', ParentId: '0010000000000000AA' }),
    account({ Name: 'x', ParentId: one!.id }),
    account({ Name: 'x', ParentId: one!.id }),
    email,
  )
  expect(codes(outcomes)).toEqual([
    'DUPLICATE_VALUE',
    'FIELD_CUSTOM_VALIDATION_EXCEPTION',
    'STRING_TOO_LONG',
    'NUMBER_OUTSIDE_VALID_RANGE',
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    'MALFORMED_ID',
    'UNABLE_TO_LOCK_ROW',
    'ok',
    'INVALID_EMAIL_ADDRESS',
  ])
  expect(codes(await write('PATCH', '', account({ Name: 'x' }), account({ Id: '001x', Name: 'x' })))).toEqual([
    'MISSING_ARGUMENT',
    'MALFORMED_ID',
  ])
  const twice = account({ External_Key__c: 'twice', Name: 'x' })
  expect(codes(await write('PATCH', '/Account/External_Key__c', twice, twice))).toEqual(['ok', 'DUPLICATE_VALUE'])
})

it('refuses the whole call for what no record could be: 201 records, a field or a value of another kind', async () => {
  const refused = async (...records: object[]) => {
    const answer = await client.send('POST', 'composite/sobjects', { records })
    return [answer.status, ((await answer.json()) as { errorCode: string }[])[0]!.errorCode]
  }
  expect(await refused(...Array.from({ length: 201 }, () => account({ Name: 'x' })))).toEqual([
    400,
    'EXCEEDED_MAX_SIZE_REQUEST',
  ])
  expect(await refused(account({ Nmae: 'x' }))).toEqual([400, 'INVALID_FIELD'])
  expect(await refused(account({ Name: 'x', Founded__c: 'yesterday' }))).toEqual([400, 'JSON_PARSER_ERROR'])
  expect(await refused(account({ Name: 5 }))).toEqual([400, 'JSON_PARSER_ERROR'])
})
