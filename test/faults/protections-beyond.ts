/** Protections outside of the commit protocol, each with the test that sees that it is gone (see `protections.ts`). */
import type { Protection } from './protections.ts'

const reading = { test: 'test/salesforce/read.test.ts' }
const login = { test: 'test/worker-credentials/credentials.test.ts' }
const power = { test: 'test/lake/power-cut.test.ts' }

export const beyond: Protection[] = [
  {
    without: 'If-None-Match: * on a create',
    file: 'connectors/lake/s3/s3-store.ts',
    find: "IfNoneMatch: '*', ",
    replace: '',
    seenBy: { test: 'test/s3/race.test.ts' },
  },
  {
    without: 'asking whose object it is that a failed completion left',
    file: 'connectors/lake/s3/s3-store.ts',
    find: "if (found.bytes === file.bytes && found.unit === file.unit) return 'done'",
    replace: "return 'done'",
    seenBy: { test: 'test/s3/store.test.ts' },
  },
  {
    without: 'syncing the directories that names are in',
    file: 'connectors/lake/file/durable-tree.ts',
    find: '      await this.#fs.syncDirectory(directory)\n',
    replace: '',
    seenBy: power,
  },
  {
    without: 'syncing what is staged',
    file: 'connectors/lake/file/file-store.ts',
    find: '        await handle.sync()\n        await handle.close()\n        await this.#tree.sync(dirname(path))\n',
    replace: '        await handle.close()\n        await this.#tree.sync(dirname(path))\n',
    seenBy: power,
  },
  {
    without: 'the id beside the stamp: `>` alone for the keyset',
    file: 'connectors/salesforce/soql.ts',
    find: "return or([compare(cursorField, '>', at), tie])!",
    replace: "return compare(cursorField, '>', at)",
    seenBy: reading,
  },
  {
    without: 'beginning at the watermark: `>` instead of `>=`',
    file: 'connectors/salesforce/plan.ts',
    find: "soql.compare(cursor.name, '>=', literal(Date.parse(ask.from)))",
    replace: "soql.compare(cursor.name, '>', literal(Date.parse(ask.from)))",
    seenBy: reading,
  },
  {
    without: 'ending before the bound: `<=` instead of `<`',
    file: 'connectors/salesforce/plan.ts',
    find: "soql.compare(cursor.name, '<', literal(bound))",
    replace: "soql.compare(cursor.name, '<=', literal(bound))",
    seenBy: reading,
  },
  {
    without: 'a settle time',
    file: 'connectors/salesforce/plan.ts',
    find: 'cut(now - ask.settleMs)',
    replace: 'cut(now)',
    seenBy: reading,
  },
  {
    without: "the source's own clock",
    file: 'connectors/salesforce/plan.ts',
    find: 'const now = await session.now()\n  const settled',
    replace: 'const now = Date.now()\n  const settled',
    seenBy: reading,
  },
  {
    without: 'proving that a read ended where it should',
    file: 'connectors/salesforce/read.ts',
    find: '    if (page.done) await proveEnd(session, request, cursor, page.totalSize, doing)\n',
    replace: '',
    seenBy: reading,
  },
  {
    without: 'asking for whole JSON',
    file: 'connectors/http.ts',
    find: "if (asked.accept !== 'json' || looksLikeJson(body)) return undefined",
    replace: 'return undefined',
    seenBy: { test: 'test/http/http.test.ts' },
  },
  {
    without: 'repeating only what may be repeated',
    file: 'connectors/http.ts',
    find: ' || !isRepeatable(asked)',
    replace: '',
    seenBy: { test: 'test/http/http.test.ts' },
  },
  {
    without: 'remembering a job before it has its records',
    file: 'connectors/deliver.ts',
    find: '  const stands = await jobs.write(round, ref)\n',
    replace: `  await job.start(session, ref, batch)
  const stands = await jobs.write(round, ref)
  if (JSON.stringify(stands) === JSON.stringify(ref)) return { ref, came: 'made' }\n`,
    seenBy: { test: 'test/salesforce/write.test.ts' },
  },
  {
    without: 'going on with the job of an attempt before',
    file: 'connectors/deliver.ts',
    find: 'const known = await jobs.read(round)\n  if (known !== null)',
    replace: 'const known = await jobs.read(round)\n  if (known !== null && round < 0)',
    seenBy: { test: 'test/salesforce/write.test.ts' },
  },
  {
    without: 'proving that the ledger row moved',
    file: 'connectors/redshift/ledger.ts',
    find: '`SELECT ${proof(\'COUNT(*) = 1\')} AS "moved"',
    replace: '`SELECT COUNT(*) AS "moved"',
    seenBy: { test: 'test/redshift/retries.test.ts' },
  },
  {
    without: 'knowing a load that is in the ledger already',
    file: 'connectors/redshift/load.ts',
    find: '    if (isOf(load, entry)) return refOf(load, null)\n',
    replace: '',
    seenBy: { test: 'test/redshift/retries.test.ts' },
  },
  {
    without: 'counting what COPY loaded',
    file: 'connectors/redshift/load-statements.ts',
    find: '`SELECT ${proof(`COUNT(*) = ${rows}`)} AS "complete"',
    replace: '`SELECT COUNT(*) AS "complete"',
    seenBy: { test: 'test/redshift/load.test.ts' },
  },
  {
    without: 'knowing events by their ids',
    file: 'connectors/lake/inbox.ts',
    find: '!isKnown(id) && ',
    replace: '',
    seenBy: { test: 'test/webhook/inbox.test.ts' },
  },
  {
    without: 'knowing what a lookback has read',
    file: 'connectors/lake/lookback.ts',
    find: 'return earlier?.stamps.has(hash) === true',
    replace: 'return false',
    seenBy: { test: 'test/lake/lookback.test.ts' },
  },
  {
    without: 'a marker while the vendor is asked for a token',
    file: 'worker/credentials.ts',
    find: 'if (isUnderWay(connection, stored.refreshing, options.forsakenMs)) {',
    replace: 'if (stored.lastVersion < 0) {',
    seenBy: login,
  },
  {
    without: 'storing the refresh token that came with a token',
    file: 'worker/stored-login.ts',
    find: 'sent === null ? null : (refreshToken ?? base.refreshToken)',
    replace: 'base.refreshToken',
    seenBy: login,
  },
  {
    without: 'offering an answer to the state until it takes it',
    file: 'worker/credentials.ts',
    find: 'if (performance.now() > until) throw error',
    replace: 'throw error',
    seenBy: login,
  },
  {
    without: 'marking a refresh token that the vendor refused',
    file: 'worker/credentials.ts',
    find: 'if (lost?.secrets === found.secretsPrint && owner !== null) throw',
    replace: 'if (lost?.secrets === found.secretsPrint && owner === null) throw',
    seenBy: login,
  },
  {
    without: "refusing to refresh another namespace's login",
    file: 'worker/credentials.ts',
    find: '      refuseForeign(loaded.login, owner)\n',
    replace: '',
    seenBy: login,
  },
]
