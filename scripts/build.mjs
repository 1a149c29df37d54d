/**
 * Writes the package's JavaScript to dist/ (or the folder given): compiled rooms, and the files they read, each at the
 * same place beside its reader as in the sources. No .ts is left beside a .js: Temporal's bundler would take the .ts.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(root, process.argv[2] ?? 'dist')
const BESIDE = ['worker/temporal-cli/go.mod', 'worker/temporal-cli/go.sum', 'client/schemas', 'client/examples']

rmSync(out, { recursive: true, force: true })
const tsc = resolve(root, 'node_modules/typescript/bin/tsc')
try {
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', out], { cwd: root, stdio: 'inherit' })
} catch {
  process.exit(1)
}
// The compiler rewrites what the code imports, but not what the declarations do.
for (const path of readdirSync(out, { recursive: true }).filter((name) => name.endsWith('.d.ts'))) {
  const file = resolve(out, path)
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(from |import\()(['"])(\.[^'"]*)\.ts\2/g, '$1$2$3.js$2'))
}
for (const path of BESIDE) cpSync(resolve(root, path), resolve(out, path), { recursive: true })
