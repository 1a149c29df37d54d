/**
 * One mistake in otherwise right text: at the top, in the source, in its one object or in the destination. Exactly one
 * problem comes back, with its path in the document, what is wrong and what to do.
 */
import { describe, expect, it } from 'vitest'
import { parseText } from '../../connectors/document.ts'
import { InputError, type Problem } from '../../connectors/errors.ts'
import { parseFlow } from '../../connectors/flow.ts'

type Place = 'top' | 'source' | 'object' | 'step' | 'where' | 'destination' | 'trigger' | 'run'
/** Place, text, path of the problem, what, advice. */
export type Wrong = [place: Place, text: string, path: string, what: RegExp, advice?: RegExp]

const placed: Record<Place, (text: string) => string> = {
  top: (text) => flow({ top: text }),
  source: (text) => flow({ source: text }),
  object: (text) => flow({ object: text }),
  step: (text) => flow({ object: `transform: [${text}]` }),
  where: (text) => flow({ object: `where: ${text}` }),
  destination: (text) => flow({ destination: text }),
  trigger: (text) => flow({ top: `trigger: ${text}` }),
  run: (text) => flow({ top: `run: ${text}` }),
}

export function flow({ top = '', source = '', object = '', destination = '' }): string {
  return `version: 1
name: orders
source:
  connection: crm
  ${source}
  objects:
    - object: Account
      ${object}
destination:
  connection: lake
  ${destination}
${top}
`
}

export function tellEach(classes: Record<string, Wrong[]>): void {
  describe.each(Object.entries(classes))('%s', (_, table) => {
    it.each(table)('%s %s', (place, text, path, what, advice) => {
      const [problem, ...more] = problemsIn(placed[place](text))
      expect(more).toEqual([])
      expect(problem!.where).toMatch(/^f\.yaml:\d+ /)
      expect(problem!.where.replace(/^f\.yaml:\d+ /, '')).toBe(path)
      expect(problem!.what).toMatch(what)
      if (advice) expect(problem!.advice).toMatch(advice)
    })
  })
}

export function problemsIn(text: string): Problem[] {
  return caught(() => {
    const document = parseText(text, 'f.yaml')
    return parseFlow(document.value, document)
  }).problems
}

export function caught(work: () => unknown): InputError {
  try {
    work()
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
