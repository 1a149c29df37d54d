/** Rows that are there against rows that must be: by key, and then in every column that must be. */
type Row = Record<string, unknown>

export function tally(expected: Row[], found: Row[], key: string): { lost: number; doubled: number; wrong: number } {
  const there = new Map<string, Row[]>()
  for (const row of found) there.set(textOf(row[key]), [...(there.get(textOf(row[key])) ?? []), row])
  let [lost, doubled, wrong] = [0, 0, 0]
  for (const row of expected) {
    const same = there.get(textOf(row[key])) ?? []
    there.delete(textOf(row[key]))
    if (same.length === 0) lost++
    doubled += Math.max(0, same.length - 1)
    const differs = (one: Row): boolean =>
      Object.entries(row).some(([name, value]) => textOf(one[name]) !== textOf(value))
    if (same[0] && differs(same[0])) wrong++
  }
  // What nobody wrote.
  for (const more of there.values()) doubled += more.length
  return { lost, doubled, wrong }
}

/** Tables and queries give numbers as texts. Nothing is `null`, and no text says that here. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null))
