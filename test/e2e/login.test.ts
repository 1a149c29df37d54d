/**
 * A person logs in, and a worker that knows nothing of it goes on: with the tokens out of the state, and with every
 * refresh token that follows. The browser is one that follows redirects.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { freePort } from '../../worker/ports.ts'
import { codeOf, logIn, visit } from '../sandbox/browser.ts'
import { builtCommand } from '../built.ts'
import { describeWithTemporal } from '../temporal.ts'
import { textIn } from './history-text.ts'
import { failureOf } from './run-failure.ts'
import type { Stage, WorkerProcess } from './stage.ts'
import { SECRET, openStage } from './stage.ts'

/** Stands in every code and token that the sandbox hands out. */
const MARK = 'canary-of-a-login'

describeWithTemporal('a login by a person', (temporal) => {
  let stage: Stage
  let worker: WorkerProcess

  beforeAll(async () => {
    const redirectPort = await freePort()
    const callbackUrls = [`http://localhost:${redirectPort}/callback`]
    stage = await openStage(temporal, { salesforce: { rotate: true, tokenMark: MARK, callbackUrls, accounts: 50 } })
    const path = join(stage.directory, 'lakeward.yaml')
    const file = parse(readFileSync(path, 'utf8')) as { connections: Record<string, { auth?: object }> }
    const [clientId, clientSecret] = [{ env: 'SF_CLIENT_ID' }, { env: 'SF_CLIENT_SECRET' }]
    file.connections[stage.crm]!.auth = { type: 'authorization_code', clientId, clientSecret, redirectPort }
    writeFileSync(path, stringify(file))
    worker = await stage.startWorker({ args: ['--task-queue', stage.queue] })
  })
  afterAll(() => stage.stop())

  let runs = 0
  const flow = () =>
    stage.flow(`
name: login-${runs++}
source: { read: full, settle: 0s, objects: [Account] }
destination: { prefix: login, write: append, format: jsonl }
`)
  const works = async (): Promise<void> => {
    expect(await stage.run(flow())).toMatchObject({ objects: [{ status: 'done', read: 50 }] })
  }

  /** `lakeward login`; `person` is given the address of the page, and answers with what is pasted, if anything. */
  async function login(person: (url: string) => Promise<string | null>, ...args: string[]) {
    const child = spawn(process.execPath, [await builtCommand(), 'login', stage.crm, ...args], {
      cwd: stage.directory,
      env: stage.env,
      stdio: 'pipe',
    })
    let said = ''
    const acted = new Promise<void>((resolve, reject) => {
      let url: string | undefined
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk
        if (url !== undefined) return
        url = /^(http\S+)\n/m.exec(said)?.[1]
        if (url === undefined) return
        person(url).then((pasted) => {
          if (pasted !== null) child.stdin.end(`${pasted}\n`)
          resolve()
        }, reject)
      })
      child.once('exit', resolve)
    })
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit'), acted])
    for (const secret of [MARK, SECRET]) expect(stdout + said).not.toContain(secret)
    return { code: code as number, stdout, said }
  }

  it('is asked for while there is none', async () => {
    const failure = await failureOf(stage.run(flow()))
    expect(JSON.stringify(failure)).toContain(`lakeward login ${stage.crm}`)
  })

  it('by a browser: runs work, and go on with each refresh token that follows', async () => {
    stage.sandbox.control.reset()
    const told = await login(async (url) => {
      expect((await visit((await logIn(url)) ?? '')).text).toContain('You are logged in')
      return null
    }, '--no-browser')
    expect(told).toMatchObject({ code: 0, stdout: expect.stringContaining('user0@acme.example') as string })
    await works()
    expect(stage.sandbox.control.counts()).toMatchObject({ token: 1 })
    for (const tokens of [2, 3]) {
      stage.sandbox.control.expireTokens()
      await works()
      expect(stage.sandbox.control.counts()).toMatchObject({ token: tokens })
    }
  })

  it('by pasting the address, after the login before was revoked', async () => {
    stage.sandbox.control.revokeRefreshTokens()
    stage.sandbox.control.expireTokens()
    expect(JSON.stringify(await failureOf(stage.run(flow())))).toContain(`lakeward login ${stage.crm}`)
    let address = ''
    const told = await login(async (url) => (address = (await logIn(url)) ?? ''), '--paste')
    expect(told).toMatchObject({ code: 0, said: expect.stringContaining('Paste') as string })
    await works()
    stage.sandbox.control.expireTokens()
    await works()

    // What was pasted once is worth nothing any more.
    const again = await login(() => Promise.resolve(codeOf(address)), '--paste')
    expect(again).toMatchObject({ code: 4, said: expect.stringContaining('expired authorization code') as string })
    await works()
  })

  it('leaves nothing secret where people look', async () => {
    expect(worker.output()).not.toContain(MARK)
    for await (const { workflowId, runId } of stage.client.workflow.list({ query: `TaskQueue = '${stage.queue}'` })) {
      const history = await stage.client.workflow.getHandle(workflowId, runId).fetchHistory()
      expect(textIn(history).includes(MARK), workflowId).toBe(false)
    }
  })
})
