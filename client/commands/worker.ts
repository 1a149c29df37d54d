/** worker, dev: the turnkey worker, and a Temporal with it. Their code is loaded here and only then. */
import { ClientError } from '../client-error.ts'
import { connect, refused, temporalSettings } from '../connect.ts'
import { installationPath } from '../installation-check.ts'
import type { Call, Register } from './call.ts'
import { whole } from './whole.ts'

interface WorkerFlags {
  taskQueue?: string[]
  slots?: string
}

interface DevFlags {
  port: string
  uiPort: string
}

export function addWorkerCommands(register: Register): void {
  register<DevFlags>({
    usage: 'dev',
    about: 'Temporal, its Web UI and a worker on this machine, with all state below .lakeward/.',
    examples: ['lakeward dev', 'lakeward dev --port 7300 --ui-port 8300'],
    options: (command) =>
      command.option('--port <n>', 'port of Temporal', '7233').option('--ui-port <n>', 'port of the Web UI', '8233'),
    work: dev,
  })
  register<WorkerFlags>({
    usage: 'worker',
    about: 'A worker with the connections of lakeward.yaml, until it is told to stop.',
    examples: [
      'lakeward worker',
      'lakeward worker --address temporal.internal:7233 --namespace data --config /etc/lakeward.yaml',
    ],
    options: (command) =>
      command
        .option('--task-queue <name...>', 'queues to poll (default: lakeward, and those that connections name)')
        .option('--slots <n>', 'units at once (default: by memory and processors)'),
    work: worker,
  })
}

async function worker({ view, options }: Call, { taskQueue, slots }: WorkerFlags): Promise<void> {
  const settings = temporalSettings(options)
  const at = `Temporal at ${settings.connection.address}`
  const atOnce = slots === undefined ? undefined : whole('--slots', slots, 1, 1000)
  // The worker itself would try for long before it says what is wrong.
  await answering(options)
  const { runWorker } = await import('../../worker/worker.ts')
  try {
    await runWorker({
      installation: installationPath(options.config),
      ...settings,
      ...(taskQueue ? { taskQueues: taskQueue } : {}),
      ...(atOnce === undefined ? {} : { slots: atOnce }),
      log: (line) => view.say(line),
      ready: ({ taskQueues, slots: most }) =>
        view.say(
          [
            `polls ${taskQueues.join(', ')} of namespace ${settings.namespace}, ${at}`,
            `${most} units at once`,
            'Ctrl-C stops it',
          ].join('; '),
        ),
    })
    view.say('stopped; what was in hand goes on at another worker, or when one is here again')
  } catch (error) {
    throw refused(error, at) ?? error
  }
}

async function answering(options: Call['options']): Promise<void> {
  const connected = await connect(options)
  const { client, namespace, address } = connected
  try {
    await client.workflowService.describeNamespace({ namespace })
  } catch (error) {
    const problem = refused(error, `namespace ${namespace} of Temporal at ${address}`)
    // A worker needs no right to describe its namespace.
    if (problem && problem.kind !== 'credentials') throw problem
  } finally {
    await connected.close()
  }
}

async function dev({ view, options }: Call, flags: DevFlags): Promise<void> {
  const port = whole('--port', flags.port, 1, 65_535)
  const uiPort = whole('--ui-port', flags.uiPort, 1, 65_535)
  const { runDev } = await import('../../worker/dev.ts')
  try {
    await runDev({
      installation: installationPath(options.config),
      port,
      uiPort,
      log: (line) => view.say(line),
      ready: ({ address, uiUrl, taskQueues, folder }) => {
        view.say(`Temporal  ${address}${port === 7233 ? '' : ` (for other commands: --address ${address})`}`)
        if (uiUrl) view.say(`Web UI    ${uiUrl}`)
        view.say(`Worker    polls ${taskQueues.join(', ')}`)
        view.say(`State     ${folder}`)
        view.say('Ctrl-C stops it; started again, it goes on where it was.')
      },
    })
  } catch (error) {
    throw taken(error, port, uiPort) ?? error
  }
}

function taken(error: unknown, port: number, uiPort: number): ClientError | null {
  if (!(error instanceof Error) || !/address already in use|port is already/i.test(error.message)) return null
  return new ClientError(
    'server',
    `port ${port} or ${uiPort}`,
    'something listens there already, perhaps another Temporal',
    'Use it with `lakeward worker`, or give other ports: `lakeward dev --port 7300 --ui-port 8300`.',
    error,
  )
}
