/**
 * Pages of a source into the files of a unit.
 *
 * Laws
 * - It ends after a page, never within one. What it gives is the last page whose records are in the files.
 * - The next page is asked for while one is worked on, unless the unit will end with that one as far as can be told, or
 *   too many pages are in hand already. One that was asked for in vain is read again by the next unit.
 */
import type { Page } from '../connectors/connector.ts'
import { ReadAhead } from './read-ahead.ts'
import type { UnitFiles } from './unit-files.ts'
import type { UnitThreads } from './unit-threads.ts'

/** What rows take that are no bytes, about. */
const ROWS_BYTES = 2 * 1024 * 1024

export interface Filling {
  threads: UnitThreads
  /** Breaks off what is asked of the source. */
  giveUp: () => void
  /** The unit ends after the page in hand. */
  over: () => boolean
  /** The source may not be asked for more now. */
  spent: () => Promise<boolean>
  /** The page's records are in the files. */
  worked: (page: Page) => void
}

/** undefined: there was no page, not even an empty last one. */
export async function fillFiles(
  files: UnitFiles,
  pages: AsyncIterable<Page>,
  { threads, giveUp, over, spent, worked }: Filling,
): Promise<Page | undefined> {
  const reading = new ReadAhead(pages, giveUp)
  let last: Page | undefined
  let grown = 0
  try {
    for (let page = await reading.take(); page; page = await reading.take()) {
      const before = files.bytes
      const ends = page.next === null || over() || (await spent())
      const room = ends || files.isFullWith(2 * grown) ? null : threads.room(sizeOf(page))
      if (room) reading.ask()
      await files.page(page).finally(() => room?.())
      grown = files.bytes - before
      last = page
      worked(page)
      if (ends || over() || files.isFullWith(0)) break
    }
  } finally {
    await reading.end()
  }
  return last
}

function sizeOf({ body }: Page): number {
  return Array.isArray(body) ? ROWS_BYTES : body.byteLength
}
