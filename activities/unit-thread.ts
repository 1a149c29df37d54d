/**
 * A unit's records in a thread: pages come in by a port, what becomes of them goes out by it.
 *
 * Laws
 * - Nothing is shared: the buffers of pages and files change hands, everything else is cloned. Keys come as KeyObjects.
 * - At most `MOST_UNTAKEN` bytes of files are on their way: a place that takes files slowly slows its own unit only.
 *   Several units may share a thread; whenever one waits, another has its turn.
 * - An error ends the unit and no other one, and keeps its name and message (`thrownBy`).
 */
import type { MessagePort } from 'node:worker_threads'
import { UnitPages } from './unit-pages.ts'
import type { UnitOutput, UnitResult, UnitWork, WorkedPage } from './unit-pages.ts'

export interface UnitTask {
  port: MessagePort
  work: UnitWork
}

/** What a unit is told: one page, or the end, once the answer to the page before has come. */
export type UnitOrder =
  | { kind: 'page'; page: WorkedPage; mostHeld: number }
  | { kind: 'close' }
  /** So many bytes of files were taken. */
  | { kind: 'taken'; bytes: number }

export type UnitAnswer =
  | Exclude<UnitOutput, { kind: 'bytes' }>
  | { kind: 'bytes'; file: number; bytes: Uint8Array }
  /** The page is worked on; `bytes`: of all files so far. */
  | { kind: 'worked'; bytes: number }
  | ({ kind: 'closed' } & UnitResult)
  | { kind: 'failed'; error: Thrown }

/** An error as it passes the border of a thread. */
export interface Thrown {
  name: string
  message: string
  stack?: string | undefined
  code?: unknown
}

const MOST_UNTAKEN = 4 * 1024 * 1024

/** Resolves when the port is closed, by whichever side: a unit that was given up ends there. */
export default function unitThread({ port, work }: UnitTask): Promise<void> {
  const outlet = new Outlet(port)
  let unit: UnitPages | undefined

  async function obey(order: Exclude<UnitOrder, { kind: 'taken' }>): Promise<void> {
    unit ??= new UnitPages(work)
    const outputs = order.kind === 'page' ? unit.page(order.page, order.mostHeld) : unit.close()
    for (const output of outputs) {
      await outlet.give(output)
      if (outlet.closed) return
    }
    if (order.kind === 'page') free(order.page)
    outlet.tell(order.kind === 'page' ? { kind: 'worked', bytes: unit.bytes } : { kind: 'closed', ...unit.result() })
  }

  port.on('message', (order: UnitOrder) => {
    if (order.kind === 'taken') outlet.taken(order.bytes)
    else obey(order).catch((error: unknown) => outlet.tell({ kind: 'failed', error: thrown(error) }))
  })
  return new Promise((resolve) => {
    port.once('close', () => {
      outlet.close()
      resolve()
    })
  })
}

/** Gives a page's memory back at once: the collector sees a small object, and leaves megabytes behind it lying. */
function free({ body }: WorkedPage): void {
  // In Node from 22 on.
  if (!Array.isArray(body)) (body.buffer as { transfer?: (length: number) => unknown }).transfer?.(0)
}

class Outlet {
  readonly #port: MessagePort
  #untaken = 0
  #wake: (() => void) | undefined
  closed = false

  constructor(port: MessagePort) {
    this.#port = port
  }

  tell(answer: UnitAnswer, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(answer, transfer)
  }

  /** Resolves when there is room for more. */
  async give(output: UnitOutput): Promise<void> {
    if (output.kind !== 'bytes') return this.tell(output)
    const bytes = whole(output.pieces)
    this.#untaken += bytes.length
    this.tell({ kind: 'bytes', file: output.file, bytes }, [bytes.buffer])
    if (this.#untaken > MOST_UNTAKEN && !this.closed) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  taken(bytes: number): void {
    this.#untaken -= bytes
    if (this.#untaken <= MOST_UNTAKEN) this.#wake?.()
  }

  close(): void {
    this.closed = true
    this.#wake?.()
  }
}

/** One buffer that may change hands: small ones lie together in a pool, and a view would take all of it along. */
function whole(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

function thrown(error: unknown): Thrown {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message, stack } = error
  return { name, message, stack, ...('code' in error ? { code: error.code } : {}) }
}
