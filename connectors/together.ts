/** Runs all to their end, or to the first failure's: nothing is still being sent when the caller tries again. */
export async function together<T>(parts: T[], run: (part: T, stopped: () => boolean) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  const stopped = (): boolean => failures.length > 0
  await Promise.all(parts.map((part) => run(part, stopped).catch((error: unknown) => void failures.push(error))))
  if (failures.length > 0) throw failures[0]
}
