/** What is simulated, by name. */
import { simulateLogin } from './login-world.ts'
import { simulate } from './world.ts'
import type { History } from './world.ts'

export type Simulated = 'lake' | 'login'
export type Simulation = (seed: number, options?: { tape?: readonly number[] | null }) => Promise<History>

export const simulations: Record<Simulated, Simulation> = { lake: simulate, login: simulateLogin }
