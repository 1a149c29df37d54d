/** Statements that a parser that is not ours does not take for Redshift's. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const PARSE = `
import json, sys, sqlglot
from sqlglot import exp
bad = []
for sql in json.load(sys.stdin):
    try:
        found = sqlglot.parse(sql, read='redshift', error_level=sqlglot.ErrorLevel.RAISE)
        if len(found) != 1: bad.append(f'{len(found)} statements: {sql}')
        elif isinstance(found[0], exp.Command): bad.append(f'not understood: {sql}')
    except Exception as error:
        bad.append(f'{error}: {sql}')
print(json.dumps(bad))
`

export async function unparsed(python: string, sqls: string[]): Promise<string[]> {
  const work = promisify(execFile)(python, ['-c', PARSE], { maxBuffer: 1 << 24 })
  work.child.stdin?.end(JSON.stringify(sqls))
  return JSON.parse((await work).stdout) as string[]
}
