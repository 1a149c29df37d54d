/** listen: receives webhooks. Its code is the worker's, loaded here and only then. */
import { connect } from '../connect.ts'
import { installationPath } from '../installation-check.ts'
import type { Call, Register } from './call.ts'

interface ListenFlags {
  on?: string
  taskQueue?: string[]
}

export function addListenCommand(register: Register): void {
  register<ListenFlags>({
    usage: 'listen',
    about: 'Receive webhooks for the flows that events feed: POST /hooks/<connection>, GET /health.',
    examples: ['lakeward listen', 'lakeward listen --on 0.0.0.0:8480 --config /etc/lakeward.yaml'],
    options: (command) =>
      command
        .option('--on <host:port>', 'where it listens (default: listen.address of lakeward.yaml, 127.0.0.1:8480)')
        .option(
          '--task-queue <name...>',
          'flows of these queues alone (default: those that the workers of the file poll)',
        ),
    work: listen,
  })
}

async function listen({ view, options }: Call, { on, taskQueue }: ListenFlags): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const connected = await connect(options)
  const { runReceiver } = await import('../../worker/listen/receiver.ts')
  await runReceiver({
    installation: installationPath(options.config),
    client: connected.client,
    ...(on === undefined ? {} : { address: on }),
    ...(taskQueue === undefined ? {} : { taskQueues: taskQueue }),
    log: (line) => view.say(line),
    ready: ({ url, connections }) => {
      for (const name of connections) view.say(`takes ${url}/hooks/${name}`)
      view.say('Ctrl-C stops it')
    },
    stop: stop.signal,
  })
  view.say('stopped; what was answered is kept, and its flows go on with it')
}
