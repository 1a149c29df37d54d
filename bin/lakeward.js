#!/usr/bin/env node
// The command. A clone runs its sources (after `npm ci`, without a build); the published package has only dist/.
import { existsSync } from 'node:fs'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`lakeward needs Node.js 20.19 or newer, and this is ${process.versions.node}: https://nodejs.org`)
  process.exit(2)
}

const source = new URL('../client/main.ts', import.meta.url)
if (existsSync(source)) {
  const tsx = await import('tsx/esm/api').catch(() => {
    console.error('lakeward is not installed in this clone yet: run `npm ci` in it first.')
    process.exit(2)
  })
  tsx.register()
  await import(source.href)
} else {
  await import('../dist/client/main.js')
}
