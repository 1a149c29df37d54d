/**
 * A disk that stops answering, for a worker process that is about to be killed (`node --import`): what a network drive
 * does, or a disk that fails. The product knows nothing of it.
 *
 * HANGS holds `{ call, path, name, done }[]`: of the calls whose path matches, the first `done` are carried out, and none
 * is ever answered. Says `hangs: <name>` on stderr at each. With `fails` (`ENOSPC`) the call behind those fails so, once.
 */
import disk from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const hangs = JSON.parse(process.env['HANGS'] ?? '[]').map((one) => ({ ...one, pattern: new RegExp(one.path) }))
const never = new Promise(() => {})

/** `at`: which argument is the path that counts. For a rename and a link it is the new name. */
function hanging(call, at, real) {
  return async (...args) => {
    const hang = hangs.find((one) => one.call === call && one.pattern.test(String(args[at])))
    if (!hang) return real(...args)
    if (hang.fails && hang.done-- !== 0) return real(...args)
    if (hang.fails) throw Object.assign(new Error(`${hang.fails}: made up, ${call}`), { code: hang.fails })
    if (hang.done > 0) {
      hang.done -= 1
      await real(...args).catch((error) => {
        hang.done += 1
        throw error
      })
    }
    process.stderr.write(`hangs: ${hang.name}\n`)
    return never
  }
}

const { open } = disk
disk.link = hanging('link', 1, disk.link)
disk.rename = hanging('rename', 1, disk.rename)
disk.unlink = hanging('unlink', 0, disk.unlink)
disk.open = async (path, ...rest) => {
  const handle = await open(path, ...rest)
  handle.sync = hanging('sync', 0, () => Object.getPrototypeOf(handle).sync.call(handle)).bind(null, path)
  return handle
}
syncBuiltinESMExports()
