/** One thing that `lakeward doctor` looks at: what it is, how it is, and what to do. */
import { ConnectorError, InputError, isRefused, showProblem } from './errors.ts'
import { LakeError } from './lake/errors.ts'

export interface Check {
  /** Two or three words: `race of creates`. */
  name: string
  state: 'ok' | 'warning' | 'failed' | 'skipped'
  /** What was found, or why it was skipped; one clause. */
  found: string
  advice?: string
  /** A login is refused: a person must act. */
  credentials?: true
}

export type Finding = string | Omit<Check, 'name'>

export const warning = (found: string, advice: string): Finding => ({ state: 'warning', found, advice })
export const failed = (found: string, advice: string): Finding => ({ state: 'failed', found, advice })
export const skipped = (found: string): Finding => ({ state: 'skipped', found })

/** Looks; what it throws is a failed check. */
export async function check(name: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    const finding = await look()
    return typeof finding === 'string' ? { name, state: 'ok', found: finding } : { name, ...finding }
  } catch (error) {
    return { name, ...failureOf(error) }
  }
}

function failureOf(error: unknown): Omit<Check, 'name'> {
  const state = 'failed'
  if (error instanceof LakeError) return { state, found: `${error.where}: ${error.what}`, advice: error.advice }
  if (error instanceof InputError) return { state, found: error.problems.map(showProblem).join('; ') }
  const found = error instanceof Error ? error.message : String(error)
  if (!(error instanceof ConnectorError)) return { state, found }
  const { advice } = error
  return { state, found, ...(advice ? { advice } : {}), ...(isRefused(error) ? { credentials: true } : {}) }
}
