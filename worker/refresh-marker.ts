/**
 * The marker of a token request that is under way, and who is believed to be dead.
 *
 * Laws
 * - Clocks of two machines are never compared: a marker of another machine is given up once this process has seen it
 *   unchanged for a minute of its own time, which is longer than a request and its storing may take.
 * - A process is looked up by its number only where numbers mean the same: on one machine, one boot of it, and in one
 *   namespace of processes. Containers may share a name, and in each of them we are process 1.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export interface Marker {
  by: string
  machine: string
  pid: number
  /** Fingerprint of the login it is for. */
  login: string
}

const LONGEST_MS = 60_000

/** Markers of requests that this process is making. */
const ours = new Set<string>()
/** The marker that was seen last, per connection, and when first. */
const seen = new Map<string, { by: string; since: number }>()

export function setMarker(login: string): Marker {
  const by = randomUUID()
  ours.add(by)
  return { by, machine: machine(), pid: process.pid, login }
}

export function dropMarker({ by }: Marker): void {
  ours.delete(by)
}

/** Somebody is asking the vendor now, as far as can be known; false: nobody is, or whoever was has died. */
export function isUnderWay(connection: string, marker: Marker | null, longestMs = LONGEST_MS): boolean {
  if (!marker) return false
  const { by, pid } = marker
  if (ours.has(by)) return true
  if (marker.machine === machine() && !isAlive(pid)) return false
  const known = seen.get(connection)
  if (known?.by === by) return performance.now() - known.since < longestMs
  seen.set(connection, { by, since: performance.now() })
  return true
}

function isAlive(pid: number): boolean {
  // A marker of our own number that is not ours was set before this process began.
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

let known: string | undefined

function machine(): string {
  known ??= [hostname(), read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())]
    .concat(read(() => readlinkSync('/proc/self/ns/pid')))
    .join(' ')
  return known
}

/** Linux tells; elsewhere the name of the machine has to do. */
function read(what: () => string): string {
  try {
    return what()
  } catch {
    return ''
  }
}
