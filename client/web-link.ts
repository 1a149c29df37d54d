/** Where a person sees a run in the Web UI, as far as that can be known. */
import type { Connected } from './connect.ts'

export async function webLink(connected: Connected, workflowId: string): Promise<string | null> {
  const base = await webBase(connected)
  const { namespace } = connected
  return base ? `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}` : null
}

/** LAKEWARD_UI_URL, Temporal Cloud's, or that of a dev server on this machine, which serves it 1,000 ports higher. */
async function webBase({ address }: Connected): Promise<string | null> {
  const given = process.env.LAKEWARD_UI_URL
  if (given) return given.replace(/\/+$/, '')
  if (/\.(tmprl\.cloud|api\.temporal\.io)(:\d+)?$/.test(address)) return 'https://cloud.temporal.io'
  const [, host = '', port = '7233'] = /^(.*?)(?::(\d+))?$/.exec(address) ?? []
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(host)) return null
  const guess = `http://${host}:${Number(port) + 1000}`
  try {
    // https://github.com/temporalio/ui-server: the settings that its own pages load first
    const answer = await fetch(`${guess}/api/v1/settings`, { signal: AbortSignal.timeout(500) })
    const settings = (await answer.json()) as { DefaultNamespace?: string }
    return answer.ok && settings.DefaultNamespace !== undefined ? guess : null
  } catch {
    return null
  }
}
