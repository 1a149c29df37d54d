/** The mock vendor as a process of its own: one that answers plainly, and one that gzips for whoever takes it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Vendor {
  url: string
  pid: number
  served(): Promise<{ rows: number; requests: number }>
  stop(): Promise<void>
}

/** `data`: the folder of the records (`data.ts`). */
export async function startVendor(binary: string, data: string, options: { gzip: boolean }): Promise<Vendor> {
  const args = ['-data', data, ...(options.gzip ? ['-gzip'] : [])]
  // It ends when the pipe does, however this process ends.
  const child = spawn(binary, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { url, pid } = JSON.parse(line) as { url: string; pid: number }
  return {
    url,
    pid,
    async served() {
      return (await (await fetch(`${url}/__served`)).json()) as { rows: number; requests: number }
    },
    async stop() {
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}

/** The object that has the first `rows` of the records; past their end they come again under later Ids. */
export const objectOf = (rows: number): string => `Rows${rows}__c`
