import type { Counts } from './protocol.ts'

export function noCounts(): Counts {
  return { read: 0, written: 0, filtered: 0, dropped: 0, quarantined: 0, bytes: 0, pages: 0 }
}

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    read: a.read + b.read,
    written: a.written + b.written,
    filtered: a.filtered + b.filtered,
    dropped: a.dropped + b.dropped,
    quarantined: a.quarantined + b.quarantined,
    ...(a.repeated || b.repeated ? { repeated: (a.repeated ?? 0) + (b.repeated ?? 0) } : {}),
    bytes: a.bytes + b.bytes,
    pages: a.pages + b.pages,
  }
}
