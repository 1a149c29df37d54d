/** Who is told how a flow's runs go, and of what. */
import type { z } from 'zod'
import { choice, list, noRepeats, strict, text } from './strict.ts'

const kinds = ['started', 'ended', 'drift', 'deactivated'] as const

export interface NotifySpec {
  connection: string
  on: (typeof kinds)[number][]
}

const target = strict('notify', {
  connection: text('A connection of lakeward.yaml that can be told: of eventbridge, of callback'),
  on: list('What it is told; default: everything', choice('What happened', kinds)).superRefine(noRepeats).optional(),
})

export const notify = list('Who is told how runs go: docs/notifications.md', target)

export function completeNotify(written: z.output<typeof notify> = []): NotifySpec[] {
  return written.map(({ connection, on = [...kinds] }) => ({ connection, on }))
}
