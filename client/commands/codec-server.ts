/** codec-server: what the Web UI and Temporal's CLI ask to show payloads that the codec sealed. */
import { findCodec } from '../../connectors/codec/installed.ts'
import { InputError } from '../../connectors/errors.ts'
import { serveCodec } from '../codec-server.ts'
import { installationPath } from '../installation-check.ts'
import type { Call, Register } from './call.ts'

interface CodecServerFlags {
  listen: string
  origin?: string[]
  tokenEnv?: string
}

/** The Web UI of `lakeward dev` and of Temporal's own dev server. */
const ORIGINS = ['http://localhost:8233', 'http://127.0.0.1:8233']

export function addCodecServerCommand(register: Register): void {
  register<CodecServerFlags>({
    usage: 'codec-server',
    about: "Decode payloads for Temporal's Web UI and CLI, with the codec of lakeward.yaml.",
    examples: [
      'lakeward codec-server',
      'temporal workflow show --workflow-id any --codec-endpoint http://127.0.0.1:8888',
      'lakeward codec-server --origin https://cloud.temporal.io --token-env CODEC_TOKEN --listen 0.0.0.0:8888',
    ],
    options: (command) =>
      command
        .option('--listen <host:port>', 'where it listens', '127.0.0.1:8888')
        .option('--origin <url...>', `origins of Web UIs (default: ${ORIGINS.join(', ')})`)
        .option('--token-env <name>', 'variable with the token that callers must send as a bearer'),
    work: codecServer,
  })
}

async function codecServer({ view, options }: Call, { listen, origin, tokenEnv }: CodecServerFlags): Promise<void> {
  const codec = await findCodec({ ...(options.config && { installation: options.config }) })
  if (!codec) {
    const advice = 'Write `codec:` into it (docs/operations.md), or set LAKEWARD_CODEC.'
    throw new InputError([{ where: installationPath(options.config), what: 'it names no codec', advice }])
  }
  const server = await serveCodec({ codec, listen, origins: origin ?? ORIGINS, token: tokenOf(tokenEnv) })
  view.say(`decodes at ${server.url}, for pages of ${(origin ?? ORIGINS).join(', ')}; Ctrl-C stops it`)
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
  })
  await server.close()
}

function tokenOf(name: string | undefined): string | null {
  if (name === undefined) return null
  const token = process.env[name]?.trim()
  if (token) return token
  const what = `the environment variable ${name} is not set`
  throw new InputError([
    { where: '--token-env', what, advice: `Set ${name} for this process, or leave the option out.` },
  ])
}
