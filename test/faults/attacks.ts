/**
 * What is done to the processes while every lane of a wave waits at its point.
 *
 * Law: all of it is done from outside, by signals, by killing servers, by cutting what lies between.
 */
import { once } from 'node:events'
import type { WorkerProcess } from '../e2e/stage.ts'
import { pause } from '../e2e/until.ts'
import type { Attack } from './fault-case.ts'
import type { MortalTemporal } from './mortal-temporal.ts'
import type { Proxy, Toxic } from './toxiproxy.ts'

export interface Field {
  worker: WorkerProcess
  temporal: MortalTemporal
  /** Between the first worker and Temporal, where the attack needs one. */
  way: Proxy | null
  /** A worker that is halted at the points of the next blow, if there is one. */
  next(): Promise<WorkerProcess>
  /** Lets go what is held at the points, in the store and in the orgs. */
  release(): Promise<void>
  /** Between the blow and what comes after it. */
  between(): Promise<void>
  forget(): Promise<void>
  /** Every lane's run has ended. */
  over(): Promise<unknown>
  problem(text: string): void
}

/** A step that is silent for so long goes to another worker: 5 seconds here. */
const SILENCE_MS = 6_500
const GRACE_MS = 10_000

export const attacks: Record<Attack, (field: Field) => Promise<void>> = {
  async kill(field) {
    await field.worker.kill('SIGKILL')
    await field.forget()
    await field.between()
    field.worker = await field.next()
  },

  /** What the dead had asked for is carried out when others have long done it. */
  async late(field) {
    await attacks.kill(field)
    await field.over()
    await field.release()
  },

  async away(field) {
    await field.worker.kill('SIGKILL')
    await field.between()
    await pause(SILENCE_MS)
    field.worker = await field.next()
  },

  async term(field) {
    const { worker } = field
    const told = Date.now()
    worker.process.kill('SIGTERM')
    const next = field.next()
    await pause(300)
    await field.release()
    if (worker.process.exitCode === null && worker.process.signalCode === null) await once(worker.process, 'exit')
    const tookMs = Date.now() - told
    if (worker.process.exitCode !== 0) field.problem(`SIGTERM: it ended with ${worker.process.exitCode}`)
    if (tookMs > GRACE_MS) field.problem(`SIGTERM: it took ${tookMs} ms`)
    await field.between()
    field.worker = await next
  },

  async zombie(field) {
    const zombie = field.worker
    zombie.process.kill('SIGSTOP')
    await field.forget()
    field.worker = await field.next()
    await field.over()
    await field.release()
    zombie.process.kill('SIGCONT')
    await pause(2_000)
  },

  async waking(field) {
    const zombie = field.worker
    zombie.process.kill('SIGSTOP')
    await field.forget()
    field.worker = await field.next()
    await pause(SILENCE_MS)
    await field.release()
    zombie.process.kill('SIGCONT')
  },

  async server(field) {
    await field.temporal.kill()
    await field.release()
    await pause(1_000)
    await field.temporal.restart()
  },

  async partition(field) {
    await field.way?.cut()
    field.worker = await field.next()
    await pause(SILENCE_MS)
    await field.release()
    await field.over()
    await field.way?.open()
    await pause(1_000)
  },

  /** Connections to Temporal break again and again, and what was held goes on meanwhile. */
  async resets(field) {
    await spoil(field, { type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } })
  },

  async lag(field) {
    await spoil(field, { type: 'latency', stream: 'downstream', attributes: { latency: 2_000, jitter: 1_000 } })
  },
}

async function spoil(field: Field, toxic: Toxic): Promise<void> {
  await field.way?.spoil(toxic)
  await field.release()
  await pause(4_000)
  await field.way?.heal()
}
