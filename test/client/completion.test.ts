/** Completion: what the command answers, and the scripts in the shells they are for. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it, test } from 'vitest'
import { stringify } from 'yaml'
import { scripts } from '../../client/commands/completion/scripts.ts'
import { describeWithTemporal } from '../temporal.ts'
import { flowOf, freshName } from './stand-in/flows.ts'
import { recorded } from './stand-in/recorder.ts'

const bin = fileURLToPath(new URL('../../bin/lakeward.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'lakeward-completion-'))
const config = join(folder, 'lakeward.yaml')
mkdirSync(join(folder, 'flows'))
writeFileSync(config, stringify({ version: 1, connections: { lake: { connector: 'file', path: './lake' } } }))
writeFileSync(join(folder, 'flows', 'sales daily.yaml'), '')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function completed(...words: string[]): Promise<string[]> {
  const { out, said, code } = await recorded('complete', '--', ...words)
  expect([said, code], 'silent, whatever happens').toEqual(['', 0])
  return out === '' ? [] : out.split('\n')
}
const nowhere = ['--address', '127.0.0.1:1']

test.each<[string[], string[]]>([
  [['un'], ['unpause']],
  [['help', 'app'], ['apply']],
  [['complet'], ['completion']],
  [['run', '--ke'], ['--keep-old']],
  [['--names'], ['--namespace']],
  [['list', '--names'], ['--namespace']],
  [['check', ''], [':files']],
  [['apply', 'a.yaml', 'b'], [':files']],
  [['--config', 'x'], [':files']],
  [['apply', '--set', 'x'], []],
  [
    ['completion', ''],
    ['bash', 'zsh'],
  ],
  [['doctor', '--config', config, ''], ['lake']],
  [['doctor', `--config=${config}`, 'la'], ['lake']],
  [['doctor', 'lake', ''], []],
  [['objects', '--config', '/nowhere.yaml', ''], []],
  [['run', ...nowhere, ''], []],
  [['status', ...nowhere, 'x'], []],
  [['no-such-command', 'x'], []],
  [['list', ''], []],
])('%j becomes %j', async (words, found) => {
  expect(await completed(...words)).toEqual(found)
})

test('all commands that people are shown, and no hidden one', async () => {
  const commands = await completed('')
  expect(commands).toEqual(expect.arrayContaining(['init', 'worker', 'apply', 'diff', 'doctor', 'repair', 'help']))
  expect(commands).not.toContain('complete')
  expect((await recorded('--help')).out).not.toMatch(/^ {2}complete /m)
})

test.each([['fish'], ['bsh'], ['']])('a shell that is not known: %j', async (shell) => {
  const { code, said } = await recorded('completion', shell)
  expect(said).toMatch(/there is no completion for/)
  expect(said).toMatch(/There is one for bash and zsh/)
  expect(code).toBe(2)
})

describeWithTemporal('names', ({ address }) => {
  it('of flows and their objects come from Temporal', async () => {
    const name = freshName('completed')
    const path = join(folder, `${name}.yaml`)
    writeFileSync(path, stringify(flowOf(name)))
    await recorded('apply', path, '--address', address)
    expect(await completed('status', '--address', address, name.slice(0, -1))).toContain(name)
    expect(await completed('run', '--wait', '--address', address, name)).toEqual([name, ':files'])
    expect(await completed('repair', `--address=${address}`, name, 'Acc')).toEqual(['Account'])
    await recorded('delete', name, '--address', address)
  })
})

describe('the scripts', () => {
  /** Completes in a real bash, whose `lakeward` is this one. */
  async function inBash(words: string[]): Promise<string[]> {
    const script = `
      lakeward() { "${process.execPath}" "${bin}" "$@"; }
      ${(await recorded('completion', 'bash')).out}
      COMP_WORDS=(lakeward "$@"); COMP_CWORD=$#
      _lakeward
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const run = promisify(execFile)
    const { stdout, stderr } = await run('bash', ['--norc', '-c', script, 'bash', ...words], { cwd: folder })
    expect(stderr).toBe('')
    return stdout.split('\n').filter(Boolean)
  }

  it('bash: commands, files with spaces in their names, and nothing where nothing fits', async () => {
    const [commands, files, nothing] = await Promise.all([
      inBash(['unpa']),
      inBash(['check', 'flows/sa']),
      inBash(['objects', '--config', '/nowhere.yaml', 'x']),
    ])
    expect(commands).toEqual(['unpause'])
    expect(files).toEqual(['flows/sales daily.yaml'])
    expect(nothing).toEqual([])
    expect(execFileSync('bash', ['--norc', '-c', `${scripts.bash}\ncomplete -p lakeward`]).toString()).toContain(
      '_lakeward',
    )
  }, 60_000)

  const zsh = spawnSync('zsh', ['--version']).status === 0
  it.skipIf(!zsh)('zsh: the syntax is right [skipped: without zsh]', () => {
    const path = join(folder, '_lakeward')
    writeFileSync(path, scripts.zsh)
    expect(spawnSync('zsh', ['-n', path]).stderr.toString()).toBe('')
  })
})
