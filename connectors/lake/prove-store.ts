/**
 * Proves a store before a lake is trusted to it: the port's promises, tried for real. What only one kind of store can
 * be asked is its own part (`ObjectStore.prove`).
 *
 * Laws
 * - Everything is written below `_lakeward/_doctor/<nonce>/`, and removed after, whatever came out.
 * - A status is not believed: what was answered is compared with what can be read.
 */
import type { Check, Finding } from '../check.ts'
import { check, failed, skipped } from '../check.ts'
import { identityShape, readDocument } from './documents.ts'
import { IDENTITY_KEY, nonce } from './keys.ts'
import type { ObjectStore, StagedFile } from './store.ts'

const ROUNDS = 20
const RACERS = 16
/** Two parts where a store has parts. */
const STAGED_BYTES = [8 * 1024 * 1024, 1024 * 1024]

const UNFIT = 'Do not use this store for a lake: two runs could both commit, or a commit could vanish.'
const RACES =
  'Do not use this store for a lake: two runs could both commit. It needs conditional writes (If-None-Match: *), ' +
  'unchanged on the way to it; some stores have them since a certain release (versitygw 1.8.0).'

export async function* proveStore(store: ObjectStore): AsyncGenerator<Check> {
  const folder = `_lakeward/_doctor/${nonce()}/`
  const reached = await check('lake', () => reach(store))
  yield reached
  if (reached.state === 'failed') return
  try {
    const absent = await check('missing keys', () => missingKeys(store, folder))
    yield absent
    const written = await check('read after write', () => readAfterWrite(store, folder))
    yield written
    for (const [name, look] of [
      ['create once', createOnce],
      ['race of creates', raceOfCreates],
      ['staged files', stagedFiles],
    ] as const) {
      const can = written.state !== 'failed'
      yield await check(name, async () => (can ? look(store, folder) : skipped('nothing can be written')))
    }
    if (store.prove && written.state !== 'failed') yield* store.prove(folder)
  } finally {
    const cleared = await check('clean-up', () => clear(store, folder))
    if (cleared.state !== 'ok') yield cleared
  }
}

async function reach(store: ObjectStore): Promise<Finding> {
  const identity = await readDocument(store, IDENTITY_KEY, identityShape)
  for await (const _ of store.list('_lakeward/')) break
  return identity ? `${store.name}, lake ${identity.id}` : `${store.name}; no flow has written to it yet`
}

/** Without the right to list, S3 answers 403 for what is not there, and "lost or done" cannot be told. */
async function missingKeys(store: ObjectStore, folder: string): Promise<Finding> {
  const key = `${folder}nothing.json`
  if ((await store.get(key)) !== null || (await store.head(key)) !== null) {
    return failed('a key that nobody wrote has an object', UNFIT)
  }
  return 'are told as missing'
}

async function readAfterWrite(store: ObjectStore, folder: string): Promise<Finding> {
  for (let round = 0; round < ROUNDS; round++) {
    const key = `${folder}read/${round}.json`
    const told = (what: string): Finding => failed(`round ${round + 1} of ${ROUNDS}: ${what}`, UNFIT)
    if ((await store.create(key, bytes('one'))) !== 'created') return told('a new key is said to exist')
    if ((await text(store, key)) !== 'one') return told('what was just written is not read')
    if ((await store.head(key))?.bytes !== 3) return told('what was just written has another size')
    if (!(await keys(store, `${folder}read/`)).includes(key)) return told('what was just written is not listed')
    await store.put(key, bytes('another'))
    if ((await text(store, key)) !== 'another') return told('what was overwritten is still read')
    await store.delete(key)
    if ((await store.get(key)) !== null) return told('what was deleted is still read')
    if ((await keys(store, `${folder}read/`)).includes(key)) return told('what was deleted is still listed')
  }
  return `what is written, overwritten and deleted is seen at once, ${ROUNDS} times`
}

async function createOnce(store: ObjectStore, folder: string): Promise<Finding> {
  const key = `${folder}once.json`
  await store.create(key, bytes('first'))
  const second = await store.create(key, bytes('second'))
  if ((await text(store, key)) !== 'first') return failed('a second create overwrote the first', RACES)
  return second === 'exists' ? 'a second create is refused' : failed('a second create is said to have won', RACES)
}

async function raceOfCreates(store: ObjectStore, folder: string): Promise<Finding> {
  for (let round = 0; round < ROUNDS; round++) {
    const key = `${folder}race/${round}.json`
    const racers = Array.from({ length: RACERS }, (_, racer) => `racer ${racer} of round ${round}`)
    const answers = await Promise.all(racers.map((racer) => store.create(key, bytes(racer))))
    const winners = racers.filter((_, racer) => answers[racer] === 'created')
    const told = (what: string): Finding => failed(`round ${round + 1} of ${ROUNDS}: ${what}`, RACES)
    if (winners.length !== 1) return told(`${winners.length} of ${RACERS} were told that they had created the key`)
    const stands = await text(store, key)
    if (stands !== winners[0]) return told(`${winners[0]} was told that it had won, and ${stands ?? 'nothing'} is read`)
  }
  return `${RACERS} at once for one key, ${ROUNDS} times: always one winner`
}

async function stagedFiles(store: ObjectStore, folder: string): Promise<Finding> {
  const key = `${folder}data/file.bin`
  const staged = await stage(store, folder, key)
  const uploads = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const { upload } of store.staged(`${folder}staged`, folder)) found.push(upload)
    return found
  }
  if (!(await uploads()).includes(staged.upload)) return failed('a staged file is not listed as such', UNFIT)
  if ((await store.head(key)) !== null) return failed('a staged file is visible before it is completed', UNFIT)
  if ((await store.complete(staged)) !== 'done') return failed('a staged file cannot be completed', UNFIT)
  const read = await store.get(key)
  if (!read || !Buffer.from(read).equals(Buffer.concat(STAGED_BYTES.map(pattern)))) {
    return failed('a completed file does not read as it was staged', UNFIT)
  }
  if ((await store.complete(staged)) !== 'done') return failed('a second completion is not told as done', UNFIT)
  if ((await uploads()).includes(staged.upload)) return failed('a completed file is still listed as staged', UNFIT)
  const dropped = await stage(store, folder, `${folder}data/dropped.bin`)
  await store.abort(dropped)
  if ((await uploads()).includes(dropped.upload)) return failed('a file that was given up is still listed', UNFIT)
  if ((await store.head(dropped.key)) !== null) return failed('a file that was given up is visible', UNFIT)
  return 'invisible until completed, whole after it, gone when given up'
}

async function stage(store: ObjectStore, folder: string, key: string): Promise<StagedFile> {
  const writer = await store.stage({ key, area: `${folder}staged/doctor`, unit: `doctor-${nonce()}` })
  for (const size of STAGED_BYTES) await writer.write(pattern(size))
  return writer.close()
}

async function clear(store: ObjectStore, folder: string): Promise<Finding> {
  for await (const upload of store.staged(`${folder}staged`, folder)) await store.abort(upload)
  for (const key of await keys(store, folder)) await store.delete(key)
  const left = await keys(store, folder)
  if (left.length === 0) return 'nothing is left'
  return failed(`${left.length} probes are left in ${store.name}/${folder}`, 'Delete them by hand.')
}

const bytes = (body: string): Uint8Array => Buffer.from(body)
const pattern = (size: number): Buffer => Buffer.alloc(size, 'lakeward doctor ')

async function text(store: ObjectStore, key: string): Promise<string | null> {
  const body = await store.get(key)
  return body && Buffer.from(body).toString('utf8')
}

async function keys(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list(prefix)) found.push(key)
  return found
}
