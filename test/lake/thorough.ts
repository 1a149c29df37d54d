import { vi } from 'vitest'

// These tests are long on a busy machine, and very long when they try everything.
vi.setConfig({ testTimeout: process.env['LAKEWARD_THOROUGH'] ? 1_800_000 : 180_000 })

/** How many of the calls that could go wrong are tried: each `stride`th, or every one with LAKEWARD_THOROUGH=1. */
export const every = (stride: number): number => (process.env['LAKEWARD_THOROUGH'] ? 1 : stride)
