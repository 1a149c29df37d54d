/** formatDate: dates and timestamps as text. A date has no zone: it is written as it is. */
import { cellAt } from './cells.ts'
import { datePattern } from './date-pattern.ts'
import type { Scope } from './scope.ts'

const DAY_MICROS = 86_400_000_000n

export interface FormatDate {
  fields: string[]
  pattern: string
  timezone: string
}

export function formatDate({ fields, pattern, timezone }: FormatDate, scope: Scope): void {
  for (const name of fields) {
    const found = scope.find(name, `${scope.at}.fields`)
    const { type } = found.field
    if (type !== 'date' && type !== 'timestamp') {
      const what = `'${name}' is ${type}, and formatDate works on dates and timestamps`
      throw scope.wrong(what, 'Cast it to timestamp before, or leave it out.', `${scope.at}.fields`)
    }
    const write = datePattern(pattern, type === 'date' ? 'UTC' : timezone)
    if ('wrong' in write) {
      throw scope.wrong(
        `'${pattern}' is no pattern: ${write.wrong}`,
        'For example yyyy-MM-dd HH:mm:ss.',
        `${scope.at}.pattern`,
      )
    }
    scope.map(found, 'string', 'formatDate', (column, row, builder) => {
      const cell = cellAt(column, type, row)
      return builder.value(write(type === 'date' ? BigInt(cell as number) * DAY_MICROS : (cell as bigint)), row)
    })
  }
}
