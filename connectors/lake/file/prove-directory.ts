/** What only a directory can be asked: its file system, names, devices, space. */
import { link, mkdir, open, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Check, Finding } from '../../check.ts'
import { check, failed, skipped, warning } from '../../check.ts'
import { nodeFileSystem } from './file-system.ts'

/** Numbers as statfs(2) tells them: https://man7.org/linux/man-pages/man2/statfs.2.html */
const fileSystems = new Map<number, { name: string; doubt: string }>([
  [0x6969, { name: 'NFS', doubt: 'links and renames over the network may be answered twice or late' }],
  [0xff534d42, { name: 'CIFS', doubt: 'links over the network are not promised' }],
  [0xfe534d42, { name: 'SMB', doubt: 'links over the network are not promised' }],
  [0x65735546, { name: 'FUSE', doubt: 'what is behind it decides whether links and fsync hold' }],
  [0x01021997, { name: '9p', doubt: 'what is behind it decides whether links and fsync hold' }],
  [0x01021994, { name: 'tmpfs', doubt: 'it lies in memory and is gone after a restart' }],
  [0x794c7630, { name: 'overlayfs', doubt: 'in a container it is gone with the container: mount a volume' }],
])
const LEAST_FREE = 1024 ** 3

/** `folder`: below the root, the doctor's own. `mounts`: as /proc/self/mountinfo has them. */
export async function* proveDirectory(
  root: string,
  folder: string,
  mounts: () => Promise<string | null> = readMounts,
): AsyncGenerator<Check> {
  const probes = join(root, folder, 'probes')
  await mkdir(probes, { recursive: true })
  try {
    yield await check('file system', () => fileSystem(root))
    yield await check('hard links', () => hardLinks(probes))
    yield await check('one device', async () => oneDevice(root, await mounts()))
    yield await check('letter case', () => letterCase(probes))
    yield await check('fsync', () => synced(probes))
    yield await check('free space', () => freeSpace(root))
  } finally {
    await rm(probes, { recursive: true, force: true })
  }
}

async function fileSystem(root: string): Promise<Finding> {
  const { type } = await statfs(root)
  const known = fileSystems.get(type)
  if (!known) return `type 0x${type.toString(16)}, local as far as is known`
  return warning(`${known.name}: ${known.doubt}`, 'Prefer a local disk, or an S3 bucket.')
}

async function hardLinks(probes: string): Promise<Finding> {
  const [one, two] = [join(probes, 'one'), join(probes, 'two')]
  await writeFile(one, 'x')
  try {
    await link(one, two)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return failed(`are refused (${code}), and the ledger is written by them`, 'Use a local file system, or S3.')
  }
  return (await stat(two)).nlink === 2 ? 'are made and counted' : warning('are not counted', 'Prefer a local disk.')
}

/** Mount points below the root: files cannot be moved into them in one step. */
export function oneDevice(root: string, mountInfo: string | null): Finding {
  if (mountInfo === null) return skipped('mounts are told by Linux alone')
  // https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html: the fifth word, with spaces as \040.
  const points = mountInfo.split('\n').flatMap((line) => line.split(' ')[4] ?? [])
  const inside = points.map(unescaped).filter((point) => point.startsWith(`${root}/`))
  if (inside.length === 0) return 'no other device is mounted in the lake'
  return failed(
    `mounted in the lake: ${inside.join(', ')}`,
    'A staged file cannot be moved there in one step: keep the whole lake on one file system.',
  )
}

function unescaped(point: string): string {
  return point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

async function readMounts(): Promise<string | null> {
  return readFile('/proc/self/mountinfo', 'utf8').catch(() => null)
}

async function letterCase(probes: string): Promise<Finding> {
  await writeFile(join(probes, 'Case'), 'x')
  const folds = await stat(join(probes, 'cASE')).then(
    () => true,
    () => false,
  )
  if (!folds) return 'is told apart'
  return warning(
    'names that differ in case alone are one file here',
    'Flows, objects and folders (`into`) must differ in more than case.',
  )
}

async function synced(probes: string): Promise<Finding> {
  const started = performance.now()
  const path = join(probes, 'synced')
  const handle = await open(path, 'wx')
  try {
    await handle.writeFile('x')
    await handle.sync()
  } finally {
    await handle.close()
  }
  await nodeFileSystem.syncDirectory(dirname(path))
  return `of a file and its directory: ${(performance.now() - started).toFixed(1)} ms`
}

async function freeSpace(root: string): Promise<Finding> {
  const { bavail, bsize, ffree, files } = await statfs(root)
  const free = bavail * bsize
  const found = `${(free / 1e9).toFixed(1)} GB`
  if (free < LEAST_FREE) return warning(found, 'Make room: a run that finds the disk full fails.')
  if (files > 0 && ffree < 10_000) return warning(`${found}, but only ${ffree} files more`, 'Make room for more files.')
  return found
}
