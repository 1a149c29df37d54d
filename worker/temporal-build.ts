/**
 * Builds the Temporal CLI, Web UI and all, from Temporal's own Go modules, pinned by `temporal-cli/go.sum`. The module
 * exists because the CLI's releases cannot be installed with `go install`
 * (https://github.com/temporalio/cli/issues/213).
 */
import { fileURLToPath } from 'node:url'
import { goBuild } from './go-build.ts'

const MODULE = fileURLToPath(new URL('./temporal-cli/', import.meta.url))
const COMMAND = 'github.com/temporalio/cli/cmd/temporal'

export async function buildTemporal(target: string, log: (line: string) => void): Promise<void> {
  log('building the Temporal server with Go: about 5 minutes, once')
  // Without debug tables the binary is a third smaller.
  const args = ['build', '-v', '-ldflags', '-s -w', '-o', target, COMMAND]
  await goBuild({ title: 'Temporal', args, cwd: MODULE, log })
}
