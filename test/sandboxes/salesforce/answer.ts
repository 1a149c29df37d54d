/** An answer before it is sent: faults may still spoil it. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string | Buffer
}

export function json(body: unknown, headers: Record<string, string> = {}): Answer {
  return { status: 200, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
}
