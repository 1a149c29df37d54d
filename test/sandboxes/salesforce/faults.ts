/**
 * What goes wrong between a right answer and the caller: a queue of faults, each for the next requests that match it.
 */
import type { Answer } from './answer.ts'

export interface Fault {
  /** Regular expression on method and decoded URL: `^GET /services/data/[^/]+/query`. */
  match?: string
  /** Matching requests to let pass first. */
  skip?: number
  /** Requests it strikes; 1 unless said, 0: all that come. */
  times?: number
  do: FaultAction
}

export interface FaultAction {
  /** Answers this, and does nothing of what was asked. */
  answer?: { status: number; headers?: Record<string, string>; body?: string }
  /** A page for people with this status, 200 too. */
  html?: number
  /** An error that repeats what was asked, its credential too; `after` so many letters, or as a page's title. */
  echo?: { status: number; after?: number; title?: boolean }
  /** Waits before it answers, milliseconds. */
  delayMs?: number
  /** Waits until the faults are cleared. */
  stall?: boolean
  /** Does what was asked, and keeps the answer back until the faults are cleared. */
  hold?: boolean
  /** Closes the connection: before the answer, or after it was made and before it is sent. */
  close?: 'before' | 'after'
  /** Sends this many bytes of the body it announced, then closes the connection. */
  truncate?: number
  /** Sends the first bytes of the body as if they were all. */
  cut?: number
  /** Announces a body this much longer (or shorter) than it is. */
  lengthOff?: number
  /** Ends every session before it looks at the request. */
  expireTokens?: boolean
  /** Drops every query locator before it looks at the request. */
  expireLocators?: boolean
  /** A page of no records that is not the last. */
  emptyPage?: boolean
  /** A page whose cursor is the one it was asked with. */
  repeatCursor?: boolean
  /** The head of a result page says so many records more than it has. */
  recordsOff?: number
}

interface Waiting {
  fault: Fault
  pattern: RegExp
  skip: number
  left: number
}

export class Faults {
  private queue: Waiting[] = []
  private stalled: (() => void)[] = []

  add(fault: Fault): void {
    const times = fault.times ?? 1
    this.queue.push({
      fault,
      pattern: new RegExp(fault.match ?? ''),
      skip: fault.skip ?? 0,
      left: times === 0 ? Infinity : times,
    })
  }

  clear(): void {
    this.queue = []
    for (const go of this.stalled.splice(0)) go()
  }

  pending(): number {
    return this.queue.length
  }

  /** The first fault in the queue that this request is due for. */
  next(method: string, url: string): FaultAction {
    for (const waiting of this.queue) {
      if (!waiting.pattern.test(`${method} ${url}`)) continue
      if (waiting.skip > 0) {
        waiting.skip--
        continue
      }
      waiting.left--
      if (waiting.left <= 0) this.queue = this.queue.filter((one) => one !== waiting)
      return waiting.fault.do
    }
    return {}
  }

  async wait(action: FaultAction): Promise<void> {
    if (action.delayMs) await new Promise((resolve) => setTimeout(resolve, action.delayMs))
    if (action.stall) await new Promise<void>((resolve) => this.stalled.push(resolve))
  }

  async hold({ hold }: FaultAction): Promise<void> {
    if (hold) await new Promise<void>((resolve) => this.stalled.push(resolve))
  }
}

/** An answer that a fault gives instead of the right one. */
export function instead(action: FaultAction, asked = ''): Answer | null {
  if (action.answer) {
    const { status, headers = {}, body = '' } = action.answer
    return { status, headers, body }
  }
  if (action.echo) return echo(action.echo, asked)
  return action.html === undefined ? null : page(action.html, 'Hold on')
}

function echo({ status, after = 0, title = false }: NonNullable<FaultAction['echo']>, asked: string): Answer {
  if (title) return page(status, asked)
  const said = { error: 'invalid_request', error_description: `${'.'.repeat(after)} not understood: ${asked}` }
  return { status, headers: {}, body: JSON.stringify(said) }
}

function page(status: number, title: string): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html;charset=UTF-8' },
    body: `<!DOCTYPE html><html><head><title>${title}</title></head><body><p>Setting things up for you…</p></body></html>`,
  }
}
