/** What was asked of the sandbox. */
import type { Read } from './pages.ts'

export interface Entry {
  /** Epoch milliseconds by our clock. */
  at: number
  method: string
  url: string
  route: string
  status: number
  /** Requests for records: which ones. */
  read?: Read
}

export class Journal {
  private entries: Entry[] = []

  add(entry: Entry): void {
    this.entries.push(entry)
  }

  reset(): void {
    this.entries = []
  }

  log(): Entry[] {
    return this.entries
  }

  counts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { route } of this.entries) counts[route] = (counts[route] ?? 0) + 1
    return counts
  }

  /** Answers that held records of this object. */
  pages(object: string): number {
    return this.entries.filter(({ read, status }) => status === 200 && read?.object === object && read.rows > 0).length
  }
}
