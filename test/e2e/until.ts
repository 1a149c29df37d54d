/** Waits. */

/** Until something holds; gives what it answered. A wait that is too long says what for. */
export async function until<T>(
  what: string,
  holds: () => T | Promise<T>,
  { withinMs = 90_000, everyMs = 50 } = {},
): Promise<NonNullable<T>> {
  const end = Date.now() + withinMs
  for (;;) {
    const found = await holds()
    if (found) return found
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms in vain: ${what}`)
    await pause(everyMs)
  }
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
