/**
 * Lakeward as a Temporal plugin: adds the steps to any worker, and the workflows to a worker that has none of its own.
 *
 * A worker with its own workflows keeps them, and takes ours by `export * from 'lakeward/workflows'` in its workflows
 * file: a bundle has one entry, and a plugin cannot add a second (https://docs.temporal.io/develop/plugins-guide).
 * Register the plugin once, at the worker; at the connection as well it would be applied twice.
 */
import { fileURLToPath } from 'node:url'
import { SimplePlugin } from '@temporalio/plugin'
import type { WorkerOptions } from '@temporalio/worker'
import { createActivities } from '../activities/index.ts'
import { isUnitQueue } from '../activities/unit-queue.ts'
import { installedCodec } from '../connectors/codec/installed.ts'
import { assemble } from './assemble.ts'
import type { AssembleOptions } from './assemble.ts'

export { createCodec } from '../connectors/codec/codec.ts'
export type { CodecOptions, CodecSettings, PayloadCodec } from '../connectors/codec/codec.ts'
export { installedCodec } from '../connectors/codec/installed.ts'
export type { InstalledCodecOptions } from '../connectors/codec/installed.ts'

export type LakewardPluginOptions = AssembleOptions

/** `.ts` from a clone, `.js` from the package. */
export const workflowsPath = fileURLToPath(
  new URL(`../workflows/index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

export class LakewardPlugin extends SimplePlugin {
  /** `installation`: path of lakeward.yaml; default ./lakeward.yaml. It is read when the first step needs it. */
  constructor(options: LakewardPluginOptions = {}) {
    const codec = installedCodec(options)
    super({
      name: 'lakeward.LakewardPlugin',
      activities: createActivities(assemble(options)),
      workflowsPath: (own) => own ?? workflowsPath,
      // After the codecs that are there: what leaves the process last is sealed last.
      dataConverter: (own) => ({ ...own, payloadCodecs: [...(own?.payloadCodecs ?? []), codec] }),
    })
  }

  /** A worker that brings a bundle has its workflows already, and one for units needs none. */
  override configureWorker(options: WorkerOptions): WorkerOptions {
    const { workflowsPath: path, ...rest } = super.configureWorker(options)
    return rest.workflowBundle || path === undefined || isUnitQueue(options.taskQueue)
      ? rest
      : { ...rest, workflowsPath: path }
  }
}
