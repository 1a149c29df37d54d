/** A bulk export: a job of the vendor whose result files are the ranges. */
import { expect, it } from 'vitest'
import type { Connector } from '../../connectors/connector.ts'
import { answerOf, anything, body, madeUpAsk, madeUpPlan, madeUpSession, run } from './made-up-core.ts'

interface JobAnswer {
  id: string
  state: 'queued' | 'done'
  files: number
}

const bulk: Connector = {
  name: 'made-up-bulk',
  title: 'Exports by job',
  settings: anything,
  auth: [{ type: 'api_key', send: { header: 'x-key' } }],
  limits: [{ name: 'jobs at once', parallel: 2 }],
  errors: [{ status: 409, code: 'TOO_MANY_JOBS', kind: 'quota', waitMs: 600_000, advice: 'Wait for other exports.' }],
  identity: async () => 'org-1',
  source: {
    options: anything,
    async *objects() {
      yield { name: 'lead' }
    },
    describe: async (_session, object) => madeUpAsk(object).schema,
    plan: async (_session, ask) =>
      madeUpPlan([], { api: 'bulk', job: true, request: { object: ask.object }, repeats: true }),
    job: {
      find: async (session, _plan, token) => (await answerOf<{ id: string | null }>(session, `/jobs?tag=${token}`)).id,
      submit: async (session, _plan, token) => (await answerOf<JobAnswer>(session, `/jobs?tag=${token}`, 'POST')).id,
      async poll(session, ref) {
        const job = await answerOf<JobAnswer>(session, `/jobs/${ref as string}`)
        if (job.state === 'queued') return { waitMs: 30_000 }
        return {
          ready: Array.from({ length: job.files }, (_, at) => ({ id: `file-${at}`, spec: { job: job.id, at } })),
        }
      },
      cancel: async (session, ref) => void (await answerOf(session, `/jobs/${ref as string}`, 'DELETE')),
    },
    async *read(session, _plan, { spec }, from) {
      const { job, at } = spec as { job: string; at: number }
      for (let part = Number(from ?? 0); ; part++) {
        const { csv, last } = await answerOf<{ csv: string; last: boolean }>(session, `/jobs/${job}/${at}/${part}`)
        const shape = { format: 'csv' as const, delimiter: ',', header: true, nullText: null }
        yield { body: body(csv), shape, next: last ? null : part + 1, position: `file ${at}, part ${part}` }
        if (last) return
      }
    },
  },
}

it('a bulk export fits: submitted once, found again, read file by file, deleted after', async () => {
  const calls: string[] = []
  const exported: { job: JobAnswer | null } = { job: null }
  const session = madeUpSession(({ url, method = 'GET' }) => {
    calls.push(`${method} ${url}`)
    if (method === 'POST') return (exported.job = { id: 'J1', state: 'queued', files: 2 })
    if (url.startsWith('/jobs?tag=')) return { id: exported.job?.id ?? null }
    if (method === 'DELETE') return Object.assign(exported, { job: null })
    if (url === '/jobs/J1')
      return { ...exported.job, state: calls.filter((call) => call === 'GET /jobs/J1').length < 2 ? 'queued' : 'done' }
    const [, at, part] = /^\/jobs\/J1\/(\d)\/(\d)$/.exec(url) ?? []
    return { csv: `id,name\n${at}-${part}a,x\n${at}-${part}b,y\n`, last: part === '1' }
  })
  const source = bulk.source
  if (!source) throw new Error('it has a source')
  const first = await run(source, session, madeUpAsk('lead'))
  expect(first.ids).toEqual(['0-0a', '0-0b', '0-1a', '0-1b', '1-0a', '1-0b', '1-1a', '1-1b'])
  // A second attempt with the same token finds the job.
  await run(source, session, madeUpAsk('lead'))
  expect(calls.filter((call) => call.startsWith('POST'))).toHaveLength(1)
  await source.job?.cancel(session, first.ref)
  expect(exported.job).toBeNull()
})
