/** Toxiproxy between a lane's worker and its org, or its bucket. */
import type { LaneCase } from '../fault-case.ts'
import type { Toxic } from '../toxiproxy.ts'

const TO = { org: 'to the vendor', lake: 'to the bucket' }
const both = ['upstream', 'downstream'] as const
const toxics: [fault: string, toxic: Toxic, forMs: number][] = [
  ...both.flatMap((stream): [string, Toxic, number][] => [
    [`reset, ${stream}`, { type: 'reset_peer', stream, attributes: { timeout: 5 } }, 3_000],
    [`nothing comes through, ${stream}`, { type: 'timeout', stream, attributes: { timeout: 1_000 } }, 3_000],
    [`cut after 20 kB, ${stream}`, { type: 'limit_data', stream, attributes: { bytes: 20_000 } }, 3_000],
    [`400 ms late, ${stream}`, { type: 'latency', stream, attributes: { latency: 400, jitter: 300 } }, 5_000],
    [
      `in slices, ${stream}`,
      { type: 'slicer', stream, attributes: { average_size: 500, size_variation: 300, delay: 300 } },
      5_000,
    ],
    [`100 kB a second, ${stream}`, { type: 'bandwidth', stream, attributes: { rate: 100 } }, 5_000],
  ]),
]

export const network: LaneCase[] = (['org', 'lake'] as const).flatMap((at) =>
  toxics.flatMap(([fault, toxic, forMs]): LaneCase[] =>
    [0, 700].map((afterMs) => ({
      group: 'network',
      step: `${TO[at]}, ${afterMs === 0 ? 'from the start' : 'in the middle'}`,
      fault,
      lake: 'versitygw',
      toxic: { at, toxic, forMs, afterMs },
      options: { salesforce: { pageMs: 100 } },
      again: 2_400,
    })),
  ),
)
