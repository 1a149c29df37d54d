/**
 * Where `versitygw` comes from, an S3 server over a directory (https://github.com/versity/versitygw, Apache-2.0): the
 * demo and the tests of S3 lakes run on it. VERSITYGW_PATH, PATH, the user's cache, or a Go build.
 *
 * Before 1.8.0 two creates of one key could both win (https://github.com/versity/versitygw/pull/2288): such a store
 * must not hold a ledger.
 */
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type FindOptions, findBinary, type Log, type Program, versionOf } from './find-binary.ts'
import { goBuild, goProblem } from './go-build.ts'

export const VERSITYGW_VERSION = '1.8.0'
const COMMAND = `github.com/versity/versitygw/cmd/versitygw@v${VERSITYGW_VERSION}`

const versitygw: Program = {
  name: 'versitygw',
  version: VERSITYGW_VERSION,
  variable: 'VERSITYGW_PATH',
  problem: versitygwProblem,
  page: 'https://github.com/versity/versitygw/releases',
  missing: { what: 'there is no versitygw, and no way to make it worked', where: 'S3 server', instead: [] },
  ways: [
    {
      advice: 'install Go 1.21 or newer (https://go.dev/dl): versitygw is then built once, in about 2 minutes',
      closed: goProblem,
      make: buildVersitygw,
    },
  ],
}

/** Path of a `versitygw` that runs here; may take minutes once, which `log` then tells. */
export function findVersitygw(options: FindOptions = {}): Promise<string> {
  return findBinary(versitygw, options)
}

async function versitygwProblem(path: string): Promise<string | null> {
  const version = await versionOf(path)
  if ('problem' in version) return version.problem
  const found = /^Version +: v?(\d+)\.(\d+)/m.exec(version.said)
  if (!found) return 'it is not versitygw, or was built without its version'
  const [major, minor] = [Number(found[1]), Number(found[2])]
  return major > 1 || minor >= 8 ? null : `it is ${major}.${minor}, and 1.8 is the least`
}

async function buildVersitygw(target: string, log: Log): Promise<void> {
  log('building versitygw with Go: about 2 minutes, once')
  const folder = await mkdtemp(join(dirname(target), 'versitygw-build-'))
  try {
    // The version is told to the linker by the project's own releases; `go install` must be told as well.
    const args = ['install', '-v', '-ldflags', `-s -w -X main.Version=v${VERSITYGW_VERSION}`, COMMAND]
    await goBuild({ title: 'versitygw', args, env: { ...process.env, GOBIN: folder }, log })
    await rename(join(folder, process.platform === 'win32' ? 'versitygw.exe' : 'versitygw'), target)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
