/** The control surface over HTTP, and a client of it with the same calls. */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Control } from './control.ts'

type Calls = Omit<Control, 'truth'>

/** The control of a sandbox in another process. */
export type RemoteControl = {
  [Name in keyof Calls]: (...input: Parameters<Calls[Name]>) => Promise<ReturnType<Calls[Name]>>
} & { truth(object: string, options?: { includeDeleted?: boolean }): AsyncGenerator<Record<string, string | null>> }

export async function answerControl(control: Control, url: URL, body: string, response: ServerResponse): Promise<void> {
  const [, , name = '', object = ''] = url.pathname.split('/')
  try {
    if (name === 'truth') {
      const rows = control.truth(decodeURIComponent(object), {
        includeDeleted: url.searchParams.get('deleted') === 'true',
      })
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      await pipeline(Readable.from(lines(rows)), response)
      return
    }
    const call = Object.hasOwn(control, name)
      ? (control as unknown as Record<string, (input: unknown) => unknown>)[name]
      : undefined
    if (!call) throw new RangeError(`no control ${name}`)
    const result = call(body ? JSON.parse(body) : {})
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(result ?? null))
  } catch (error) {
    if (response.headersSent) throw error
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }))
  }
}

export function remoteControl(url: string): RemoteControl {
  const base = new URL('/__control/', url)
  const call = async (name: string, input: unknown): Promise<unknown> => {
    const response = await fetch(new URL(name, base), { method: 'POST', body: JSON.stringify(input ?? {}) })
    const body = (await response.json()) as { error?: string }
    if (!response.ok) throw new RangeError(`control ${name}: ${body.error}`)
    return body
  }
  async function* truth(object: string, options: { includeDeleted?: boolean } = {}) {
    const response = await fetch(
      new URL(`truth/${encodeURIComponent(object)}?deleted=${options.includeDeleted ?? false}`, base),
    )
    let rest = ''
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) yield JSON.parse(line) as Record<string, string | null>
    }
  }
  // Not a promise, whatever `await` asks of it.
  return new Proxy({} as RemoteControl, {
    get: (_, name) =>
      name === 'truth' ? truth : name === 'then' ? undefined : (input: unknown) => call(String(name), input),
  })
}

function* lines(rows: Iterable<object>): Generator<string> {
  let text = ''
  for (const row of rows) {
    text += `${JSON.stringify(row)}\n`
    if (text.length < 65_536) continue
    yield text
    text = ''
  }
  yield text
}
