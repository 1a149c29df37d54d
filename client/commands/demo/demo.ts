/**
 * demo: the whole promise once, on this machine, in about a minute. A worker is killed in the middle of a run; the
 * files are compared with the source by a reader that is not ours.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { INTERRUPTED } from '../../failures.ts'
import type { Screen } from '../../terminal/screen.ts'
import type { Call, Register } from '../call.ts'
import { withTemporal } from '../call.ts'
import { sandboxControl } from './sandbox-control.ts'
import type { Stage } from './stage.ts'
import { setStage } from './stage.ts'
import { tell } from './story.ts'

const org = { accounts: 20_000, opportunities: 5_000, pageMs: 200 }

interface DemoFlags {
  keep?: boolean
  s3?: boolean
}

export function addDemoCommand(register: Register): void {
  register<DemoFlags>({
    usage: 'demo',
    about:
      'Everything once, with a simulated Salesforce: a run, a kill, changes, another run, and what is in the files.',
    examples: ['lakeward demo', 'lakeward demo --s3', 'lakeward demo --s3 --keep'],
    options: (command) =>
      command
        .option('--s3', 'the lake is a bucket, on an S3 server (versitygw) that is found, or built once with Go')
        .option('--keep', 'leave everything running until Ctrl-C'),
    work: demo,
  })
}

async function demo(call: Call, { keep = false, s3 = false }: DemoFlags): Promise<number> {
  // One stream, so that everything stands in its order wherever it goes.
  const view: Screen = { ...call.view, say: (text) => call.view.out(text) }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  const folder = join('.lakeward', 'demo', stamp)
  await mkdir(folder, { recursive: true })
  view.say(`Starting Temporal${s3 ? ', an S3 server' : ''} and a simulated Salesforce org …`)
  const ready = setStage(call, { folder, org, s3 }, (line) => view.say(line))
  let stage: Stage | undefined
  try {
    stage = await unless(stop.signal, ready)
    return await play({ ...call, view, options: stage.options }, stage, { folder, keep, signal: stop.signal })
  } catch (error) {
    if (!stop.signal.aborted) throw error
    view.say('stopping what was started …')
    return INTERRUPTED
  } finally {
    stage ??= await ready.catch(() => undefined)
    await stage?.close()
  }
}

interface Play {
  folder: string
  keep: boolean
  signal: AbortSignal
}

async function play(call: Call, stage: Stage, { folder, keep, signal }: Play): Promise<number> {
  // On a server that is somebody's, the demo's flow must not be theirs.
  const flow = stage.ownServer ? 'salesforce-daily' : folder.replace(/^.*[/\\]/, 'demo-')
  return withTemporal(call, async (lakeward) => {
    const control = sandboxControl(stage.sandboxUrl)
    const story = { view: call.view, lakeward, stage, org, control, folder, flow, keep, signal }
    const told = tell(story)
    try {
      const code = await unless(signal, told)
      if (keep && code === 0) await unless(signal, new Promise<never>(() => setInterval(() => {}, 60_000)))
      return code
    } finally {
      // It sees the signal too; what it was doing has to end before the processes do.
      await Promise.race([told.catch(() => {}), sleep(3_000)])
      if (!stage.ownServer) await lakeward.delete(flow, { cancel: true }).catch(() => {})
    }
  })
}

function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {}) // after an abort nobody waits for it
  return Promise.race([
    work,
    new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }),
    ),
  ])
}
