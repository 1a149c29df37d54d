import { vi } from 'vitest'

if (process.env['LAKEWARD_THOROUGH']) vi.setConfig({ testTimeout: 1_800_000 })

/** How many of the calls that could go wrong are tried: each `stride`th, or every one with LAKEWARD_THOROUGH=1. */
export const every = (stride: number): number => (process.env['LAKEWARD_THOROUGH'] ? 1 : stride)
