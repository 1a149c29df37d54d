/**
 * Flows against the source as it describes itself now: objects and fields that are not there, filters and transforms
 * that do not fit their types. A source that cannot be reached from here is no error: the workers may reach it.
 */
import type { Session, Source } from '../../connectors/connector.ts'
import type { Document } from '../../connectors/document.ts'
import { ConnectorError, InputError } from '../../connectors/errors.ts'
import type { Problem } from '../../connectors/errors.ts'
import { checkOptions } from '../../connectors/flow.ts'
import type { Flow } from '../../connectors/flow.ts'
import { expandPatterns, isForMany } from '../../connectors/flow-patterns.ts'
import type { TakenObject } from '../../connectors/flow-patterns.ts'
import { outputFields } from '../../connectors/records/recipe.ts'
import type { FlowFile } from '../flow-files.ts'
import { listObjects } from './local.ts'

export interface SourceCheck {
  compared: boolean
  notes: string[]
}

/** A person waits for it. */
const MOST_MS = 15_000
/** Of the objects that a pattern takes: each is a call. */
const MOST_TAKEN = 20

/** `compared`: all objects and fields were; sentences about what was not, and about what patterns take. */
export async function checkSources(flows: FlowFile[], installation: string): Promise<SourceCheck> {
  const { openParts } = await import('../../worker/assemble.ts')
  const parts = await openParts({ installation })
  const problems: Problem[] = []
  const untold = new Set<string>()
  const taken = new Set<string>()
  try {
    for (const { flow, file } of flows) {
      const { connection } = flow.source
      const signal = AbortSignal.timeout(MOST_MS)
      const { connector, session } = await parts.connect(connection, { signal, beat: () => {}, note: () => {} })
      const checked = checkOptions(flow, connector, file)
      const objects = await expanded(checked, connector.source!, session, file, { problems, untold, taken })
      for (const object of objects) {
        const place = `source.objects[${object.at}]`
        const at = `${file.at(['source', 'objects', object.at])} ${place}${object.pattern ? ` ${object.object}` : ''}`
        try {
          const schema = await connector.source!.describe(session, object.object, object.options)
          const { storedRecipe } = await import('../../activities/recipe.ts')
          const { endOf } = await import('../../activities/place.ts')
          const recipe = storedRecipe(
            { flow, object },
            schema,
            { kind: await endOf(parts.installation, flow), folder: '' },
            new Date().toISOString(),
            'check',
          )
          outputFields(recipe, schema.fields, [], `${at}.`)
        } catch (error) {
          if (error instanceof InputError) problems.push(...error.problems)
          else if (error instanceof ConnectorError && error.kind === 'missing') problems.push(missing(error, at))
          else {
            untold.add(unread(error, signal))
            break
          }
        }
      }
    }
  } finally {
    await parts.close()
  }
  if (problems.length > 0) throw new InputError(problems)
  return { compared: untold.size === 0, notes: [...taken, ...untold] }
}

/** The objects of a flow, with some of those that its patterns take now; none where the list cannot be read. */
async function expanded(
  flow: Flow,
  source: Source,
  session: Session,
  file: Document,
  { problems, untold, taken: said }: { problems: Problem[]; untold: Set<string>; taken: Set<string> },
): Promise<TakenObject[]> {
  const { objects } = flow.source
  try {
    const listed = objects.some(isForMany) ? await listObjects(source, session) : []
    const { objects: taken, notes } = expandPatterns(objects, listed)
    for (const note of notes) said.add(`${flow.name}: ${note}`)
    const counts = new Map<string, number>()
    return taken.filter(({ pattern }) => {
      if (pattern === undefined) return true
      const count = (counts.get(pattern) ?? 0) + 1
      counts.set(pattern, count)
      if (count === MOST_TAKEN + 1) untold.add(`of what ${pattern} takes, ${MOST_TAKEN} were compared with the source`)
      return count <= MOST_TAKEN
    })
  } catch (error) {
    if (!(error instanceof InputError)) {
      untold.add(unread(error, session.signal))
      return []
    }
    const [where = ''] = error.problems.map(({ where: place }) => place)
    const index = Number(/\[(\d+)\]/.exec(where)?.[1] ?? 0)
    const at = `${file.at(['source', 'objects', index])} ${where}`
    problems.push(...error.problems.map((problem) => ({ ...problem, where: at })))
    return []
  }
}

function unread(error: unknown, signal: AbortSignal): string {
  const why = signal.aborted ? `no answer within ${MOST_MS / 1000} s` : (error as Error).message
  return `not compared with the source, which cannot be read from here: ${why}`
}

function missing({ message, advice }: ConnectorError, where: string): Problem {
  return { where, what: message, advice: advice ?? '`lakeward objects CONNECTION` lists what there is.' }
}
