/** All cases, in waves. */
import type { LaneCase } from '../fault-case.ts'
import { infoOf } from '../fault-case.ts'
import { eventsInWaves } from '../events-in-wave.ts'
import { eventsOutWave } from '../events-out-wave.ts'
import { tableInfo, tableWave } from '../table-wave.ts'
import { storms } from '../storm.ts'
import { recordInfo, recordWave } from '../record-wave.ts'
import { evenly, lanesInWaves } from '../waves.ts'
import type { Wave } from '../waves.ts'
import { destination } from './destination.ts'
import { kills } from './kills.ts'
import { network } from './network.ts'
import { records } from './records.ts'
import { source } from './source.ts'
import { tables } from './tables.ts'
import { vendor } from './vendor.ts'

const lanes: LaneCase[] = [...kills, ...destination, ...source, ...vendor, ...network]

const RECORDS = 32

/** Those whose names are wanted. */
export function wavesOf(isWanted: (name: string) => boolean): Wave[] {
  const sent = records.filter((one) => isWanted(recordInfo(one).name))
  const loaded = tables.filter((one) => isWanted(tableInfo(one).name))
  const others = [...eventsInWaves, eventsOutWave, ...storms].filter(({ cases }) =>
    cases.some(({ name }) => isWanted(name)),
  )
  return [
    ...lanesInWaves(lanes.filter((one) => isWanted(infoOf(one).name))),
    ...evenly(
      sent.filter(({ isKilled }) => isKilled),
      RECORDS,
    ).map(recordWave),
    ...evenly(
      sent.filter(({ isKilled }) => !isKilled),
      RECORDS,
    ).map(recordWave),
    ...(loaded.length > 0 ? [tableWave(loaded)] : []),
    ...others,
  ]
}
