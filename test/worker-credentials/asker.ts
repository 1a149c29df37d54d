/** A process of its own that asks for a token newer than the one it names, and prints what it got. */
import { createCredentials } from '../../worker/credentials.ts'
import { directoryState } from '../../worker/installation-state.ts'
import { createWires } from '../../worker/wires.ts'
import { loginOf } from './login-of.ts'

const [directory = '', url = '', type = '', stale = '0', owner = ''] = process.argv.slice(2)
const wires = createWires()
const credentials = createCredentials({
  state: () => Promise.resolve(directoryState(directory, Buffer.alloc(32, 3))),
  login: () => Promise.resolve(loginOf(url, type)),
  wires,
  env: { CLIENT_SECRET: 'canary-client-secret', REFRESH_TOKEN: 'canary-refresh-0' },
})
const { version } = await credentials.refresh('crm', Number(stale), owner || null)
const token = await credentials.current('crm')
process.stdout.write(JSON.stringify({ version, accessToken: token?.accessToken }))
await wires.close()
