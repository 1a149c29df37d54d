import { proxyActivities } from '@temporalio/workflow'
import type * as activities from './activities.ts'

export * from 'lakeward/workflows'

const { greet } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' })

export async function greetTwice(name: string): Promise<string[]> {
  return [await greet(name), await greet(name)]
}
