/**
 * What a process and its descendants took, as Linux counts it (https://man7.org/linux/man-pages/man5/proc.5.html).
 *
 * Memory is the sum of the processes' own highest resident sizes since the measurement began: never less than what the
 * tree held at once.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Clock ticks a second, as /proc tells times to user space. */
const TICKS = 100

export interface Taken {
  cpuSeconds: number
  peakBytes: number
}

export interface Measuring {
  end(): Taken
}

export function measure(pid: number): Measuring {
  for (const one of treeOf(pid)) write(`/proc/${one}/clear_refs`, '5')
  const before = cpuSeconds(pid)
  return {
    end() {
      const cpu = cpuSeconds(pid) - before
      return { cpuSeconds: cpu, peakBytes: treeOf(pid).reduce((sum, one) => sum + highWater(one), 0) }
    },
  }
}

/** Processor time of the tree so far, of children that have ended as well. */
export function cpuSeconds(pid: number): number {
  let ticks = 0
  for (const one of treeOf(pid)) {
    const stat = read(`/proc/${one}/stat`)
    // The name in brackets may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    for (const at of [11, 12, 13, 14]) ticks += Number(fields[at] ?? 0)
  }
  return ticks / TICKS
}

function treeOf(pid: number): number[] {
  const tree = [pid]
  for (let at = 0; at < tree.length; at++) {
    for (const thread of names(`/proc/${tree[at]}/task`)) {
      tree.push(...read(`/proc/${tree[at]}/task/${thread}/children`).split(' ').filter(Boolean).map(Number))
    }
  }
  return tree
}

function highWater(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it has ended
  }
}

function names(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch {
    // what it held before counts as well then
  }
}
