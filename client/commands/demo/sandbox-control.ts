/** What the demo does to the simulated org, over its control surface. */

export interface Served {
  /** Records given out, different ones, and those given out once more. */
  rows: number
  distinct: number
  again: number
  pages: number
}

export interface LogEntry {
  route: string
  status: number
  read?: { object: string; offset: number; rows: number }
}

export type SandboxControl = ReturnType<typeof sandboxControl>

export function sandboxControl(url: string) {
  const call = async <T>(name: string, input: object = {}): Promise<T> => {
    const answer = await fetch(new URL(`/__control/${name}`, url), { method: 'POST', body: JSON.stringify(input) })
    if (!answer.ok) throw new Error(`the sandbox refuses ${name}: ${await answer.text()}`)
    return (await answer.json()) as T
  }
  return {
    served: (object: string) => call<Served>('served', { object }),
    log: () => call<LogEntry[]>('log'),
    reset: () => call('reset'),
    ids: (object: string, offset: number, limit: number) =>
      call<string[]>('ids', { object, offset, limit, deleted: false }),
    update: (object: string, ids: string[], values: object) => call('update', { object, ids, values }),
    insert: (object: string, rows: object[]) => call<{ ids: string[] }>('insert', { object, rows }),
    delete: (object: string, ids: string[]) => call('delete', { object, ids }),
    addField: (object: string, name: string, type: string) => call('addField', { object, name, type }),
  }
}

/** Pages with records that the org gave out, and how many of them are in no committed unit: they were read twice. */
export function pagesAgain(log: LogEntry[], object: string, committed: number): { pages: number; again: number } {
  const given = log.filter(({ status, read }) => status === 200 && read?.object === object && read.rows > 0)
  return { pages: given.length, again: Math.max(0, given.length - committed) }
}
