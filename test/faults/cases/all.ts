/** All cases, in waves. */
import type { LaneCase } from '../fault-case.ts'
import { infoOf } from '../fault-case.ts'
import { lanesInWaves } from '../waves.ts'
import type { Wave } from '../waves.ts'
import { destination } from './destination.ts'
import { kills } from './kills.ts'
import { network } from './network.ts'
import { source } from './source.ts'

const lanes: LaneCase[] = [...kills, ...destination, ...source, ...network]

/** Those whose names have one of these parts; without any, all. */
export function wavesOf(only: string[]): Wave[] {
  const isWanted = (name: string): boolean => only.length === 0 || only.some((part) => name.includes(part))
  return lanesInWaves(lanes.filter((one) => isWanted(infoOf(one).name)))
}
