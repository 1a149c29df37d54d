import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startDevServer } from '../../worker/temporal-server.ts'
import { describeWithTemporal } from '../temporal.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeward-server-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it('a server that ends at once is an error with the end of its log', async () => {
  const cli = join(folder, 'broken')
  await writeFile(cli, '#!/bin/sh\necho "a first line"\necho "no such flag" >&2\nexit 7\n')
  await chmod(cli, 0o755)
  const starting = startDevServer({ cli, logFile: join(folder, 'broken.log') })
  await expect(starting).rejects.toThrow(
    /dev server ended \(exit code 7\).*broken\.log:\n {2}a first line\n {2}no such flag/s,
  )
})

it('a port that is taken is told before anything is started: its holder would be taken for our server', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const cli = join(folder, 'none')
  for (const ports of [{ port }, { uiPort: port }]) {
    const starting = startDevServer({ cli, logFile: join(folder, 'taken.log'), ...ports })
    await expect(starting).rejects.toThrow(`127.0.0.1:${port}: the port cannot be used`)
  }
  holder.close()
})

it('a server that never serves is an error, and is not left behind', async () => {
  const cli = join(folder, 'deaf')
  await writeFile(cli, `#!/bin/sh\necho $$ > ${folder}/deaf.pid\nexec sleep 60\n`)
  await chmod(cli, 0o755)
  const starting = startDevServer({ cli, logFile: join(folder, 'deaf.log'), readyMs: 700 })
  await expect(starting).rejects.toThrow(/did not serve within 0\.7 s/)
  expect(isAlive(Number(await readFile(join(folder, 'deaf.pid'), 'utf8')))).toBe(false)
})

describeWithTemporal('a dev server', ({ cli, address }) => {
  it('serves its namespace and search attributes when it is there, on loopback, and is gone after stop', async () => {
    const server = await startDevServer({
      cli,
      logFile: join(folder, 'real.log'),
      dbFile: join(folder, 'deep', 'real.db'),
      namespace: 'other',
      searchAttributes: { LakewardFlow: 'Keyword' },
    })
    expect(server.address).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(server.address).not.toBe(address)
    const connection = await Connection.connect({ address: server.address })
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'other' })
    await connection.close()
    expect(Object.keys(customAttributes ?? {})).toContain('LakewardFlow')
    expect((await fetch(server.uiUrl ?? '')).status).toBe(200)
    await server.stop()
    expect(isAlive(server.pid)).toBe(false)
    expect(await server.ended).toContain('the Temporal dev server ended')
  })

  it('ends when the process that started it is killed', async () => {
    const module = new URL('../../worker/temporal-server.ts', import.meta.url).href
    const options = JSON.stringify({ cli, logFile: join(folder, 'orphan.log'), uiPort: null })
    const script = `
      import { startDevServer } from ${JSON.stringify(module)}
      const server = await startDevServer(${options})
      console.log(server.pid)
      setInterval(() => {}, 1000)`
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script]
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk))),
    )
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    for (let waited = 0; waited < 12_000 && isAlive(pid); waited += 100) await sleep(100)
    expect(isAlive(pid)).toBe(false)
  })
})
