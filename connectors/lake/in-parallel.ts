/** Does work for many items, some at a time, in no promised order of effects; results keep the items' order. */
export async function inParallel<In, Out>(
  items: In[],
  atOnce: number,
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = []
  let next = 0
  const turn = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      results[at] = await work(items[at] as In)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, turn))
  return results
}

/** Requests that one step has in flight at the store. */
export const AT_ONCE = 8
