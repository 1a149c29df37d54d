/**
 * Where the `temporal` binary comes from: TEMPORAL_CLI_PATH, PATH, the user's cache, the SDK's official download, a Go
 * build of the small module beside this file.
 */
import { type FindOptions, findBinary, type Program, versionOf } from './find-binary.ts'
import { goProblem } from './go-build.ts'
import { buildTemporal } from './temporal-build.ts'
import { downloadTemporal } from './temporal-download.ts'

/** Version of the CLI that `temporal-cli/go.mod` builds. */
export const TEMPORAL_VERSION = '1.8.2'
/** Current details and summaries of runs need at least this server. */
const LEAST_SERVER: [major: number, minor: number] = [1, 27]

const temporal: Program = {
  name: 'temporal',
  version: TEMPORAL_VERSION,
  variable: 'TEMPORAL_CLI_PATH',
  problem: binaryProblem,
  page: 'https://docs.temporal.io/cli/setup-cli',
  missing: {
    what: 'there is no Temporal server, and no way to make one worked',
    where: 'Temporal',
    instead: ['use a running server: TEMPORAL_ADDRESS=host:7233 or TEMPORAL_PROFILE=name'],
  },
  ways: [
    {
      advice: 'let it be downloaded from https://temporal.download',
      closed: async (env) => (env.LAKEWARD_OFFLINE ? 'LAKEWARD_OFFLINE is set' : null),
      make: downloadTemporal,
    },
    {
      advice: 'install Go 1.21 or newer (https://go.dev/dl): Temporal is then built once, in about 5 minutes',
      closed: goProblem,
      make: buildTemporal,
    },
  ],
}

/** Path of a `temporal` binary that runs here; may take minutes once, which `log` then tells. */
export function findTemporalCli(options: FindOptions = {}): Promise<string> {
  return findBinary(temporal, options)
}

/** Why a file is no `temporal` binary that we can use; null: it is one. */
export async function binaryProblem(path: string): Promise<string | null> {
  const version = await versionOf(path)
  if ('problem' in version) return version.problem
  const server = /^temporal version \S+ \(Server (\d+)\.(\d+)/m.exec(version.said)
  if (!server) return 'it is not the Temporal CLI'
  const [major, minor] = [Number(server[1]), Number(server[2])]
  const old = major < LEAST_SERVER[0] || (major === LEAST_SERVER[0] && minor < LEAST_SERVER[1])
  return old ? `its server is ${major}.${minor}, and ${LEAST_SERVER.join('.')} is the least` : null
}
