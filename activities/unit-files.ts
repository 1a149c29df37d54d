/**
 * The files of one unit: its records are worked on in a thread, and what comes from there is staged here.
 *
 * Laws
 * - What the thread gives is carried out in its order, one thing after the other. A page counts once all that came of
 *   it is with the writers of the files.
 * - Memory is bounded: one page in hand, a few megabytes of files on their way, what the writers hold.
 * - A unit that is given up writes nothing more: what was on its way has ended when `stop` resolves.
 *
 * It knows of no step: `openFiles(new UnitThreads(), {unit: beginUnit(at, plan, place), …})`, then `fillFiles` with the
 * pages of a source's `read`, `close`, and `unit.finish` are the data plane alone, as a benchmark runs it.
 */
import { ApplicationFailure } from '@temporalio/common'
import type { Page } from '../connectors/connector.ts'
import { ConnectorError } from '../connectors/errors.ts'
import type { StagedFileWriter, UnitWriter } from '../connectors/lake/units.ts'
import { keyNames } from '../connectors/records/recipe.ts'
import type { Deps } from './deps.ts'
import type { UnitResult, UnitWork, WorkedPage } from './unit-pages.ts'
import type { Thrown, UnitAnswer } from './unit-thread.ts'
import type { UnitLine, UnitThreads } from './unit-threads.ts'

export interface UnitFilesOptions extends Omit<UnitWork, 'lane' | 'keys'> {
  unit: UnitWriter
  key: Deps['key']
  signal: AbortSignal
}

export async function openFiles(
  threads: UnitThreads,
  { unit, key, signal, ...work }: UnitFilesOptions,
): Promise<UnitFiles> {
  const names = keyNames(work.recipe)
  const keys = new Map(await Promise.all(names.map(async (name) => [name, await key(name)] as const)))
  const { flow, object } = unit.lane
  return new UnitFiles(threads, unit, { ...work, keys, lane: { flow, object } }, signal)
}

/** Who waits for the thread's answer to an order. */
interface Waiting {
  resolve(answer: UnitAnswer): void
  reject(error: unknown): void
}

export class UnitFiles {
  readonly #threads: UnitThreads
  readonly #unit: UnitWriter
  readonly #work: UnitWork
  readonly #line: UnitLine
  readonly #signal: AbortSignal
  readonly #open = new Map<number, StagedFileWriter>()
  /** What the thread gave, one after the other. */
  #done: Promise<void> = Promise.resolve()
  #waiting: Waiting | null = null
  #failure: { error: unknown } | null = null
  #bytes = 0
  #untaken = 0

  constructor(threads: UnitThreads, unit: UnitWriter, work: UnitWork, signal: AbortSignal) {
    this.#threads = threads
    this.#unit = unit
    this.#work = work
    this.#signal = signal
    this.#line = threads.open(
      work,
      (answer) => this.#hear(answer),
      (error) => this.#fail(lost(error, work)),
    )
    signal.addEventListener('abort', this.#cancelled)
  }

  /** Bytes of files that have come from the thread and are not taken yet. */
  get waiting(): number {
    return this.#untaken
  }

  /** Of all files so far: an estimate. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * With so many bytes more the target size is reached, or its many files fill too much memory: the unit should end,
   * and with it its files.
   */
  isFullWith(more: number): boolean {
    if (this.#bytes + more >= this.#work.recipe.fileSizeBytes) return true
    let held = 0
    for (const file of this.#open.values()) held += file.held ?? 0
    return held > this.#threads.mostUnsent
  }

  /** The page's bytes are the thread's from now on. */
  async page({ body, shape, op, records }: Page): Promise<void> {
    const own = Array.isArray(body) ? body : ownBytes(body)
    const page: WorkedPage = { body: own, shape, op, records }
    const order = { kind: 'page', page, mostHeld: this.#threads.mostHeld } as const
    const answer = await this.#ask(() => this.#line.send(order, Array.isArray(own) ? [] : [own.buffer]))
    if (answer.kind === 'worked') this.#bytes = answer.bytes
  }

  /** Closes every file; nothing comes after it. */
  async close(): Promise<UnitResult> {
    const answer = await this.#ask(() => this.#line.send({ kind: 'close' }))
    await this.stop()
    if (answer.kind !== 'closed') throw new Error(`a unit that was closed answered ${answer.kind}`)
    return answer
  }

  /** Gives the unit up, if it is not closed; any number of times, never throws. */
  async stop(): Promise<void> {
    this.#fail(new Error('the unit was given up'))
    await this.#done
  }

  #ask(send: () => void): Promise<UnitAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure.error)
      this.#waiting = { resolve, reject }
      send()
    })
  }

  #hear(answer: UnitAnswer): void {
    if (answer.kind === 'bytes') this.#untaken += answer.bytes.length
    this.#done = this.#done
      .then(() => (this.#failure ? undefined : this.#obey(answer)))
      .catch((error: unknown) => this.#fail(error))
  }

  async #obey(answer: UnitAnswer): Promise<void> {
    if (answer.kind === 'open') {
      const { file, folder, quarantine } = answer
      const refused = this.#work.replay?.attempt ?? 0
      const { format } = this.#work.recipe
      const writer = quarantine
        ? this.#unit.file('', 'jsonl', { quarantine })
        : this.#unit.file(folder, format, { refused })
      this.#open.set(file, await writer)
    } else if (answer.kind === 'bytes') {
      await this.#open.get(answer.file)!.write(answer.bytes)
      this.#untaken -= answer.bytes.length
      if (!this.#failure) this.#line.send({ kind: 'taken', bytes: answer.bytes.length })
    } else if (answer.kind === 'close') {
      await this.#open.get(answer.file)!.close(answer.rows)
      this.#open.delete(answer.file)
    } else if (answer.kind === 'failed') this.#fail(thrownBy(answer.error, this.#work))
    else {
      this.#waiting?.resolve(answer)
      this.#waiting = null
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#signal.removeEventListener('abort', this.#cancelled)
    this.#line.close()
    this.#waiting?.reject(this.#failure.error)
    this.#waiting = null
  }

  readonly #cancelled = (): void => this.#fail(this.#signal.reason)
}

/** A buffer that can change hands: a view's other bytes are somebody else's. */
function ownBytes(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = body
  const own = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength && byteLength > 0
  return own ? (body as Uint8Array<ArrayBuffer>) : new Uint8Array(body)
}

/** What a thread threw, as if it had been thrown here. */
function thrownBy({ name, message, stack, code }: Thrown, { plan }: UnitWork): Error {
  const { connector, object } = plan.source
  if (name === 'PageError') {
    return new ConnectorError({ connector, doing: `read ${object}`, kind: 'answer', reason: message })
  }
  if (name === 'InvalidRecord') {
    return ApplicationFailure.nonRetryable(
      `${object}: ${message}. Mend the record at the source, or let onInvalid quarantine it.`,
      'RecordInvalid',
    )
  }
  return Object.assign(new Error(message), { name, stack, ...(code === undefined ? {} : { code }) })
}

function lost({ message }: Error, { plan }: UnitWork): Error {
  const what = `the thread that worked on records of ${plan.source.object} has ended: ${message}`
  return ApplicationFailure.retryable(`${what}. The unit begins again.`, 'ThreadLost')
}
