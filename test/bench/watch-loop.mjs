// Loaded into a worker's main thread (`node --import`): writes how long its event loop stood still at most, twice a second.
import { appendFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

if (isMainThread && process.env.BENCH_LOOP_FILE) {
  const loop = monitorEventLoopDelay({ resolution: 5 })
  loop.enable()
  const tell = () => {
    appendFileSync(process.env.BENCH_LOOP_FILE, `${Date.now()} ${(loop.max / 1e6).toFixed(1)}\n`)
    loop.reset()
  }
  setInterval(tell, 500).unref()
}
