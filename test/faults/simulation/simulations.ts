/** What is simulated, by name. */
import { simulateLogin } from './login-world.ts'
import { simulate } from './world.ts'
import type { History } from './world.ts'

/** Longer than anything comes late. */
const LOOKBACK = 20

export type Simulated = 'lake' | 'lookback' | 'login'
export type Simulation = (seed: number, options?: { tape?: readonly number[] | null }) => Promise<History>

export const simulations: Record<Simulated, Simulation> = {
  lake: simulate,
  lookback: (seed, options) => simulate(seed, { ...options, lookback: LOOKBACK }),
  login: simulateLogin,
}
