/** What a sandbox org answered once, given again from memory: one answer of it may be another by then. */
import type { HttpRequest, HttpResponse, Session } from '../../../connectors/connector.ts'
import { ConnectorError } from '../../../connectors/errors.ts'
import { looksLikeJson } from '../../../connectors/json-span.ts'

interface Exchanged {
  key: string
  answer: HttpResponse
}

/** Bounds stand in addresses: what is asked again is asked at the same time. */
const NOW = Date.now()

const keyOf = ({ method = 'GET', url }: HttpRequest): string => `${method} ${url}`
const failed = (doing: string, kind: 'missing' | 'answer', reason: string): ConnectorError =>
  new ConnectorError({ connector: 'salesforce', doing, kind, reason })

/** The same session; all that it is answered is kept. */
export function recording(session: Session, tape: Exchanged[]): Session {
  const request = async (asked: HttpRequest): Promise<HttpResponse> => {
    const answer = await session.http.request(asked)
    tape.push({ key: keyOf(asked), answer })
    return answer
  }
  return { ...session, now: async () => NOW, http: { ...session.http, request } }
}

/** `changed`: place on the tape, and what is answered there; what was never asked is not there. */
export function replaying(session: Session, tape: Exchanged[], changed: { at: number; answer: HttpResponse }): Session {
  const times = new Map<string, number>()
  const request = async (asked: HttpRequest): Promise<HttpResponse> => {
    const key = keyOf(asked)
    const places = tape.flatMap((one, at) => (one.key === key ? [at] : []))
    const asking = times.get(key) ?? 0
    times.set(key, asking + 1)
    const at = places[Math.min(asking, places.length - 1)]
    if (at === undefined) throw failed(asked.doing, 'missing', '404 with an empty body')
    if (asking > 50) throw new Error(`${key} is asked for again and again`)
    const answer = at === changed.at ? changed.answer : tape[at]!.answer
    if (asked.accept === 'json' && !looksLikeJson(answer.body)) {
      throw failed(asked.doing, 'answer', '200 with something else where whole JSON was due')
    }
    return answer
  }
  return { ...session, now: async () => NOW, http: { ...session.http, request } }
}
