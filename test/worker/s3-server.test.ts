import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findVersitygw } from '../../worker/versitygw-binary.ts'
import { orSkip } from '../components.ts'
import { s3Servers } from '../s3-servers.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeward-s3-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('versitygw', () => {
  const fake = async (name: string, says: string): Promise<string> => {
    const path = join(folder, name, 'versitygw')
    await mkdir(join(folder, name), { recursive: true })
    await writeFile(path, `#!/bin/sh\necho "${says}"\n`)
    await chmod(path, 0o755)
    return path
  }
  const says = async (VERSITYGW_PATH: string): Promise<string> =>
    findVersitygw({ env: { VERSITYGW_PATH } }).then(String, (error: unknown) => String(error))

  it('is taken from where VERSITYGW_PATH says, but not one whose creates are not exclusive', async () => {
    const right = await fake('right', 'Version  : v1.8.0')
    expect(await findVersitygw({ env: { VERSITYGW_PATH: right } })).toBe(right)
    expect(await says(await fake('old', 'Version  : v1.7.0'))).toContain('it is 1.7, and 1.8 is the least')
    expect(await says(await fake('unknown', 'Version  : git'))).toContain('built without its version')
  })

  it('that is nowhere is an error with one line for each way to it', async () => {
    const env = { PATH: join(folder, 'none'), LAKEWARD_CACHE: join(folder, 'cache') }
    await expect(findVersitygw({ env })).rejects.toThrow(
      [
        'S3 server: there is no versitygw, and no way to make it worked',
        '  Any one of these is enough:',
        '  - name the binary: VERSITYGW_PATH=/path/to/versitygw (not set)',
        '  - put `versitygw` on PATH: https://github.com/versity/versitygw/releases (none there)',
        '  - install Go 1.21 or newer (https://go.dev/dl): versitygw is then built once, in about 2 minutes',
      ].join('\n'),
    )
  })
})

it.for(Object.entries(s3Servers))('%s serves buckets of every kind', async ([name, start], context) => {
  const server = await orSkip(start(), `the test of ${name}`)
  if (!server) {
    context.skip(`there is no ${name} here`)
    return
  }
  try {
    for (const options of [{}, { versioned: true }, { locked: true }]) {
      const Bucket = await server.createBucket(options)
      await server.client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'x' }))
      const { Body } = await server.client.send(new GetObjectCommand({ Bucket, Key: 'a/b' }))
      expect(await Body?.transformToString()).toBe('x')
    }
  } finally {
    await server.stop()
  }
})
