/**
 * Can the tests see? Each protection is taken out of a copy of the project, and the test that is named for it has to
 * fail: `npm run faults:without`, or with the beginnings of some of them, `-- 'If-None' fence`.
 *
 * Laws
 * - A test counts as one that sees only if it passes with everything in its place.
 * - An edit that no longer applies is an error: the list is older than the code.
 */
import { beyond } from './protections-beyond.ts'
import { copyProject, edited, seenBy } from './edited-project.ts'
import { protections } from './protections.ts'

/** The slowest to be seen needs some thousands of histories. */
const INTERLEAVINGS = process.env['LAKEWARD_INTERLEAVINGS'] ?? '400000'

const wanted = process.argv.slice(2)
const all = [...protections, ...beyond].filter(
  ({ without }) => wanted.length === 0 || wanted.some((words) => without.includes(words)),
)
for (const protection of all) edited(protection)

const project = copyProject()
const whole = new Map<string, boolean>()
let unseen = 0
const say = (line: string): void => void process.stdout.write(`${line}\n`)
try {
  say('| without | seen by | seconds | how it fails |\n|---|---|---|---|')
  for (const protection of all) {
    const by = seenBy(protection)
    const key = JSON.stringify(by)
    if (!whole.has(key)) {
      const { passed, failed } = await project.run(by, undefined, { LAKEWARD_INTERLEAVINGS: '5000' })
      whole.set(key, passed > 0 && failed === 0)
    }
    const began = performance.now()
    const { failed, message } = await project.run(by, protection, { LAKEWARD_INTERLEAVINGS: INTERLEAVINGS })
    const seconds = Math.round((performance.now() - began) / 1000)
    const fails = !whole.get(key) ? 'THE TEST FAILS ANYWAY' : failed > 0 ? message : 'NOT SEEN'
    if (failed === 0 || !whole.get(key)) unseen++
    say(`| ${protection.without} | ${by.test.replace('test/', '')} | ${seconds} | ${fails.replaceAll('|', '/')} |`)
  }
} finally {
  project.remove()
}
say(`\n${all.length - unseen} of ${all.length} protections are missed when they are gone.`)
process.exitCode = unseen === 0 ? 0 : 1
