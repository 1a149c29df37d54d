/**
 * Toxiproxy, which stands between any two processes and spoils what they say to one another
 * (https://github.com/Shopify/toxiproxy/tree/v2.12.0#http-api). TOXIPROXY_PATH, PATH, the user's cache, or a Go build.
 */
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findBinary, type Log, type Program, versionOf } from '../../worker/find-binary.ts'
import { goBuild, goProblem } from '../../worker/go-build.ts'
import { launch } from '../../worker/launch.ts'
import { freePort, onFreePort } from '../../worker/ports.ts'

const VERSION = '2.12.0'
const MODULE = 'github.com/Shopify/toxiproxy/v2'

const program: Program = {
  name: 'toxiproxy-server',
  version: VERSION,
  variable: 'TOXIPROXY_PATH',
  problem: async (path) => {
    const version = await versionOf(path)
    if ('problem' in version) return version.problem
    return /toxiproxy-server version 2\./.test(version.said) ? null : 'it is not toxiproxy 2, or does not say so'
  },
  page: 'https://github.com/Shopify/toxiproxy/releases',
  missing: { what: 'there is no toxiproxy, and no way to make it worked', where: 'toxiproxy', instead: [] },
  ways: [{ advice: 'install Go 1.21 or newer (https://go.dev/dl)', closed: goProblem, make: build }],
}

export const findToxiproxy = (): Promise<string> => findBinary(program)

async function build(target: string, log: Log): Promise<void> {
  const folder = await mkdtemp(join(dirname(target), 'toxiproxy-build-'))
  try {
    const flags = ['-ldflags', `-s -w -X ${MODULE}.Version=${VERSION}`]
    const args = ['install', '-v', ...flags, `${MODULE}/cmd/server@v${VERSION}`]
    await goBuild({ title: 'toxiproxy', args, env: { ...process.env, GOBIN: folder }, log })
    await rename(join(folder, process.platform === 'win32' ? 'server.exe' : 'server'), target)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** https://github.com/Shopify/toxiproxy/tree/v2.12.0#toxics */
export interface Toxic {
  type: 'latency' | 'bandwidth' | 'slow_close' | 'timeout' | 'reset_peer' | 'slicer' | 'limit_data'
  /** `upstream`: what the client sends. */
  stream: 'upstream' | 'downstream'
  attributes: Record<string, number>
}

export interface Proxy {
  /** `host:port` that it listens at. */
  address: string
  url: string
  leadTo(url: string): Promise<void>
  /** Connections that are open feel it as well. */
  spoil(toxic: Toxic): Promise<void>
  /** Takes all toxics away. */
  heal(): Promise<void>
  /** Cuts all connections, and takes none until `open`. */
  cut(): Promise<void>
  open(): Promise<void>
}

export interface Toxiproxy {
  /** A proxy on a port of its own; `target` as `host:port`, or later by `leadTo`. */
  proxy(target?: string): Promise<Proxy>
  stop(): Promise<void>
}

export async function startToxiproxy(folder: string): Promise<Toxiproxy> {
  const command = await findToxiproxy()
  return onFreePort(async () => {
    const port = await freePort()
    const api = `http://127.0.0.1:${port}`
    const server = launch({
      title: 'toxiproxy',
      command,
      args: ['-host', '127.0.0.1', '-port', String(port)],
      env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'error' },
      logFile: join(folder, 'toxiproxy.log'),
    })
    const ask = async (method: string, path: string, body?: object): Promise<Response> => {
      const answer = await fetch(api + path, { method, ...(body && { body: JSON.stringify(body) }) })
      if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${answer.status} ${await answer.text()}`)
      return answer
    }
    for (;;) {
      const failure = server.failure()
      if (failure !== null) throw new Error(failure)
      if (await ask('GET', '/version').catch(() => null)) break
      await sleep(20)
    }
    let proxies = 0
    return {
      async proxy(upstream = '127.0.0.1:1') {
        const name = `p${proxies++}`
        const made = await ask('POST', '/proxies', { name, listen: '127.0.0.1:0', upstream, enabled: true })
        const { listen: address } = (await made.json()) as { listen: string }
        const path = `/proxies/${name}`
        let toxics = 0
        return {
          address,
          url: `http://${address}`,
          leadTo: async (url) => void (await ask('POST', path, { upstream: new URL(url).host })),
          spoil: async (toxic) => void (await ask('POST', `${path}/toxics`, { name: `t${toxics++}`, ...toxic })),
          async heal() {
            const found = (await (await ask('GET', `${path}/toxics`)).json()) as { name: string }[]
            for (const one of found) await ask('DELETE', `${path}/toxics/${one.name}`)
          },
          cut: async () => void (await ask('POST', path, { enabled: false })),
          open: async () => void (await ask('POST', path, { enabled: true })),
        }
      },
      stop: () => server.stop(0),
    }
  })
}
