/**
 * Flows against the source as it describes itself now: objects and fields that are not there, filters and transforms
 * that do not fit their types. A source that cannot be reached from here is no error: the workers may reach it.
 */
import { ConnectorError, InputError } from '../../connectors/errors.ts'
import type { Problem } from '../../connectors/errors.ts'
import { checkOptions } from '../../connectors/flow.ts'
import { outputFields } from '../../connectors/records/recipe.ts'
import type { FlowFile } from '../flow-files.ts'

/** A person waits for it. */
const MOST_MS = 15_000

/** Sentences about what could not be compared. */
export async function checkSources(flows: FlowFile[], installation: string): Promise<string[]> {
  const { openParts } = await import('../../worker/assemble.ts')
  const parts = await openParts({ installation })
  const problems: Problem[] = []
  const untold = new Set<string>()
  try {
    for (const { flow, file } of flows) {
      const { connection } = flow.source
      const signal = AbortSignal.timeout(MOST_MS)
      const { connector, session } = await parts.connect(connection, { signal, beat: () => {}, note: () => {} })
      const { source } = checkOptions(flow, connector, file)
      for (const [index, object] of source.objects.entries()) {
        const place = `source.objects[${index}]`
        const at = `${file.at(['source', 'objects', index])} ${place}`
        try {
          const schema = await connector.source!.describe(session, object.object, object.options)
          const { storedRecipe } = await import('../../activities/recipe.ts')
          const recipe = storedRecipe({ flow, object }, schema, new Date().toISOString(), 'check')
          outputFields(recipe, schema.fields, [], `${at}.`)
        } catch (error) {
          if (error instanceof InputError) problems.push(...error.problems)
          else if (error instanceof ConnectorError && error.kind === 'missing') problems.push(missing(error, at))
          else {
            const why = signal.aborted ? `no answer within ${MOST_MS / 1000} s` : (error as Error).message
            untold.add(`not compared with the source, which cannot be read from here: ${why}`)
            break
          }
        }
      }
    }
  } finally {
    await parts.close()
  }
  if (problems.length > 0) throw new InputError(problems)
  return [...untold]
}

function missing({ message, advice }: ConnectorError, where: string): Problem {
  return { where, what: message, advice: advice ?? '`lakeward objects CONNECTION` lists what there is.' }
}
