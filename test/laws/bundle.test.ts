/** What Temporal bundles of our workflows: nothing that is not deterministic, and nothing heavy. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleWorkflowCode } from '@temporalio/worker'
import { expect, it } from 'vitest'
import { ROOT } from './sources.ts'

/** What Temporal's own workflow code brings. */
const TEMPORALS = new Set(['nexus-rpc', 'long', 'ms', '@protobufjs', 'protobufjs', 'assert', 'util', 'url', 'webpack'])

async function bundle(workflowsPath: string): Promise<string> {
  const quiet = (): void => {}
  const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet }
  const { code } = await bundleWorkflowCode({ workflowsPath, logger })
  return code.replace(/\n\/\/# sourceMappingURL=.*/s, '')
}

// Each module of a bundle begins with a line that holds its path from here, between webpack's marks.
function foreignIn(code: string): string[] {
  const modules = [...code.matchAll(/^\/\*\*\*\/ "([^"]+)"$/gm)].map((match) => match[1] ?? '')
  expect(modules.length).toBeGreaterThan(20)
  const packages = modules.flatMap((path) => /.*node_modules\/((?:@[\w-]+\/)?[\w.-]+)\//.exec(path)?.[1] ?? [])
  const rooms = modules.filter((path) => /^\.\/(?:connectors|activities|worker|client|test)\//.test(path))
  const foreign = packages.filter((name) => !/^(?:\.|@temporalio\/)/.test(name) && !TEMPORALS.has(name))
  return [...new Set([...foreign, ...rooms])]
}

it('the workflow bundle holds our workflows and Temporal, and nothing else', async () => {
  const code = await bundle(join(ROOT, 'workflows/index.ts'))
  expect(code).toContain('"./workflows/run-flow.ts"')
  expect(foreignIn(code)).toEqual([])
  const kilobytes = Math.round(Buffer.byteLength(code) / 1000)
  console.log(`workflow bundle: ${kilobytes} kB without its source map`)
  expect(kilobytes).toBeLessThan(2_000)
})

it('and this test would see it, if there were more', async () => {
  mkdirSync(join(ROOT, 'node_modules/.cache'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, 'node_modules/.cache/lakeward-bundle-'))
  const bundleOf = async (source: string): Promise<string[]> => {
    const file = join(folder, `${Math.random()}.ts`)
    writeFileSync(file, source)
    return foreignIn(await bundle(file))
  }
  try {
    const errors = JSON.stringify(join(ROOT, 'connectors/errors.ts'))
    const found = await bundleOf(`export { z } from 'zod'\nexport * from ${errors}`)
    expect(found.toSorted()).toEqual(['./connectors/errors.ts', './connectors/printable.ts', 'zod'])
    await expect(bundleOf("export * from 'node:fs'")).rejects.toThrow()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
