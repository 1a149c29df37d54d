/** What a connection of webhooks and the receiver's options cannot say. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { readInstallation } from '../../connectors/installation.ts'

const directory = mkdtempSync(join(tmpdir(), 'lakeward-hooks-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const path = join(directory, 'lakeward.yaml')
const auth = { type: 'signing_secret', secret: { env: 'SECRET' } }
const hmac = { connector: 'webhook', scheme: 'hmac', signature: { header: 'X-Sig' }, id: { path: 'id' }, auth }
const read = (hook: object, listen: object = {}) => {
  writeFileSync(path, stringify({ version: 1, connections: { hook }, listen }))
  return readInstallation(path)
}

it('schemes by name and written out are read, and so are the options of the receiver', async () => {
  const { connections } = await read({ ...hmac, id: 'content', kind: { header: 'X-Topic' } })
  expect(connections['hook']!.settings).toMatchObject({ id: 'content', kind: { header: 'x-topic' } })
  for (const scheme of ['slack', 'zendesk']) await read({ connector: 'webhook', scheme, auth, tolerance: '10m' })
  const { listen } = await read(
    { connector: 'webhook', scheme: 'none' },
    { address: '[::1]:80', maxBody: '2MB', rate: 5 },
  )
  expect(listen).toEqual({ address: '[::1]:80', maxBody: 2 * 1024 * 1024, rate: 5 })
})

it.each<[string, object, object, RegExp]>([
  ['a scheme nobody knows', { ...hmac, scheme: 'github' }, {}, /scheme.*'github' is not one of hmac \| slack/s],
  ['no signature', { ...hmac, signature: undefined }, {}, /'signature' is missing/],
  ['no id', { ...hmac, id: undefined }, {}, /'id' is missing/],
  ['a place that is two', { ...hmac, id: { path: 'id', header: 'X-Id' } }, {}, /names no place, or two/],
  ['a header that is none', { ...hmac, kind: { header: 'X Kind' } }, {}, /is no name of a header/],
  [
    'nothing of the body signed',
    { ...hmac, signature: { header: 'X', signs: '{timestamp}' } },
    {},
    /must have \{body\} once/,
  ],
  [
    'a time that stands nowhere',
    { ...hmac, signature: { header: 'X', signs: '{timestamp}.{body}' } },
    {},
    /the time is signed, and/,
  ],
  [
    'a signature beside a scheme',
    { connector: 'webhook', scheme: 'slack', signature: { header: 'X' }, auth },
    {},
    /slack says this itself/,
  ],
  ['a secret for what is not signed', { connector: 'webhook', scheme: 'none', auth }, {}, /scheme none signs nothing/],
  ['a secret in plain text', { ...hmac, auth: { ...auth, secret: 'canary' } }, {}, /secret in plain text/],
  ['an address without a port', hmac, { address: 'localhost' }, /no address to listen on/],
  ['bodies of a gigabyte', hmac, { maxBody: '1GB' }, /too large for an event/],
  ['no events a second', hmac, { rate: 0 }, /at least 1/],
  ['an option nobody knows', hmac, { adress: 'localhost:80' }, /did you mean 'address'/],
])('%s is refused', async (_, hook, listen, what) => {
  await expect(read(hook, listen)).rejects.toThrow(what)
})
