/**
 * Tells those whom a flow names how its run goes.
 *
 * Law: nobody's refusal is the run's failure, or keeps the others from being told. Who does not answer is told again,
 * and so is everybody else: under the same ids.
 */
import { ApplicationFailure } from '@temporalio/common'
import { InputError } from '../connectors/errors.ts'
import { completeNotify, notify } from '../connectors/flow-notify.ts'
import type { Deps } from './deps.ts'
import type { NotifyDigest, NotifyInput } from './digests.ts'
import { asApplicationFailure } from './failure.ts'
import { connectEnd } from './lane.ts'
import { noticeOf } from './notices.ts'
import { step } from './step.ts'

export const notifyRun = (deps: Deps) =>
  step(async (input: NotifyInput, context): Promise<NotifyDigest> => {
    const { connections } = await deps.installation()
    const connectorOf = (name: string): string => connections[name]?.connector ?? 'unknown'
    const notes: string[] = []
    let later: unknown
    for (const { connection, on } of completeNotify(notify.parse(input.flow.notify))) {
      const wanted = input.events.filter(({ kind }) => on.includes(kind))
      if (wanted.length === 0) continue
      try {
        const { connector, session } = await connectEnd(deps, connection, context)
        if (!connector.notify) throw new InputError([{ what: `${connector.name} cannot be told`, where: 'notify' }])
        for (const event of wanted) await connector.notify(session, noticeOf(input, event, connectorOf))
      } catch (error) {
        context.signal.throwIfAborted()
        const failure = asApplicationFailure(error, () => 1)
        if (failure instanceof ApplicationFailure && failure.nonRetryable) {
          notes.push(`${connection} was not told of the run: ${failure.message}`)
        } else later ??= error
      }
    }
    if (later !== undefined) throw later
    return { notes }
  })
