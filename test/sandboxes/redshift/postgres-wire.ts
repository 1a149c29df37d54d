/**
 * One connection to PostgreSQL: simple queries, COPY FROM STDIN and cancelling, over its Unix socket.
 * https://www.postgresql.org/docs/current/protocol-flow.html
 *
 * Every value comes as text. One query at a time: whoever asks waits for the answer before asking again.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface PostgresColumn {
  name: string
  /** Object id of the type, as pg_type has it. */
  type: number
  /** Of a numeric, its precision and scale; -1: none. */
  modifier: number
}
export interface PostgresResult {
  columns: PostgresColumn[]
  rows: (string | null)[][]
  /** Rows a statement gave, changed or copied. */
  affected: number
}

export class PostgresError extends Error {
  override readonly name = 'PostgresError'
  /** https://www.postgresql.org/docs/15/errcodes-appendix.html */
  readonly code: string
  /** Where in a COPY: `COPY stage, line 3, column name: "…"`. */
  readonly context: string

  constructor(fields: Map<string, string>) {
    super(fields.get('M') ?? 'PostgreSQL says nothing')
    this.code = fields.get('C') ?? ''
    this.context = fields.get('W') ?? ''
  }
}

interface Message {
  type: string
  body: Buffer
}

export class PostgresConnection {
  readonly #path: string
  readonly #socket: Socket
  readonly #messages: Message[] = []
  #left: Buffer = Buffer.alloc(0)
  #wake = (): void => {}
  #gone: Error | null = null
  #secret = Buffer.alloc(8)

  private constructor(path: string, socket: Socket) {
    this.#path = path
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    const ended = (error?: Error): void => {
      this.#gone ??= error ?? new Error('PostgreSQL closed the connection')
      this.#wake()
    }
    socket.on('error', ended)
    socket.on('close', () => ended())
  }

  static async open(path: string, database: string, options: Record<string, string>): Promise<PostgresConnection> {
    const socket = connect(path)
    await once(socket, 'connect')
    const connection = new PostgresConnection(path, socket)
    const parameters = { user: 'redshift', database, ...options }
    const pairs = Object.entries(parameters).flatMap(([name, value]) => [name, value])
    const text = Buffer.from(`${pairs.join('\0')}\0\0`)
    const head = Buffer.alloc(8)
    head.writeInt32BE(text.length + 8, 0)
    head.writeInt32BE(196_608, 4) // protocol 3.0
    socket.write(Buffer.concat([head, text]))
    await connection.#untilReady()
    return connection
  }

  /** The last result of what may be several statements; `source` is what a COPY FROM STDIN reads. */
  async query(sql: string, source?: AsyncIterable<Buffer>): Promise<PostgresResult> {
    this.#send('Q', Buffer.from(`${sql}\0`))
    return this.#untilReady(source)
  }

  /** Stops what runs: its query fails with 57014. */
  async cancel(): Promise<void> {
    const socket = connect(this.#path)
    const head = Buffer.alloc(8)
    head.writeInt32BE(16, 0)
    head.writeInt32BE(80_877_102, 4)
    socket.on('error', () => {})
    socket.end(Buffer.concat([head, this.#secret]))
    socket.resume()
    await once(socket, 'close')
  }

  close(): void {
    this.#gone ??= new Error('the connection is closed')
    this.#socket.destroy()
  }

  #send(type: string, body: Buffer): boolean {
    const head = Buffer.alloc(5)
    head.write(type, 0, 'latin1')
    head.writeInt32BE(body.length + 4, 1)
    return this.#socket.write(Buffer.concat([head, body]))
  }

  #take(chunk: Buffer): void {
    let left = this.#left.length > 0 ? Buffer.concat([this.#left, chunk]) : chunk
    while (left.length >= 5) {
      const length = left.readInt32BE(1)
      if (left.length < length + 1) break
      this.#messages.push({ type: left.toString('latin1', 0, 1), body: left.subarray(5, length + 1) })
      left = left.subarray(length + 1)
    }
    this.#left = left
    this.#wake()
  }

  async #next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift()
      if (message) return message
      if (this.#gone) throw this.#gone
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async #untilReady(source?: AsyncIterable<Buffer>): Promise<PostgresResult> {
    let result: PostgresResult = { columns: [], rows: [], affected: 0 }
    let failure: Error | null = null
    for (;;) {
      const { type, body } = await this.#next()
      if (type === 'T') result = { columns: columnsOf(body), rows: [], affected: 0 }
      else if (type === 'D') result.rows.push(rowOf(body))
      else if (type === 'C') result.affected = Number(/ (\d+)\0$/.exec(body.toString())?.[1] ?? 0)
      else if (type === 'E') failure ??= new PostgresError(fieldsOf(body))
      else if (type === 'K') this.#secret = Buffer.from(body)
      else if (type === 'G') failure ??= await this.#feed(source)
      else if (type === 'Z') break
    }
    if (failure) throw failure
    return result
  }

  async #feed(source: AsyncIterable<Buffer> | undefined): Promise<Error | null> {
    try {
      for await (const chunk of source ?? []) {
        // It has an objection already.
        if (this.#messages.some(({ type }) => type === 'E')) break
        if (!this.#send('d', chunk)) await Promise.race([once(this.#socket, 'drain'), once(this.#socket, 'close')])
        if (this.#gone) throw this.#gone
      }
      this.#send('c', Buffer.alloc(0))
      return null
    } catch (error) {
      this.#send('f', Buffer.from('the source failed\0'))
      return error as Error
    }
  }
}

function columnsOf(body: Buffer): PostgresColumn[] {
  const columns: PostgresColumn[] = []
  let at = 2
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const end = body.indexOf(0, at)
    const [type, modifier] = [body.readInt32BE(end + 7), body.readInt32BE(end + 13)]
    columns.push({ name: body.toString('utf8', at, end), type, modifier })
    at = end + 19
  }
  return columns
}

function rowOf(body: Buffer): (string | null)[] {
  const row: (string | null)[] = []
  let at = 2
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at)
    at += 4
    row.push(length < 0 ? null : body.toString('utf8', at, at + length))
    at += Math.max(0, length)
  }
  return row
}

function fieldsOf(body: Buffer): Map<string, string> {
  const texts = body.toString('utf8').split('\0')
  return new Map(texts.filter(Boolean).map((text) => [text.charAt(0), text.slice(1)]))
}
