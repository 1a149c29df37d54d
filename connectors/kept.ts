/** Makes it when it is first asked for, once for everybody. A failure is forgotten: the next one to ask tries again. */
export function kept<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    if (!made) {
      made = make()
      made.catch(() => (made = undefined))
    }
    return made
  }
}
