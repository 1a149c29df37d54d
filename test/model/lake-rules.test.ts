/**
 * No rule of the commit protocol is there in vain: without any one of them a law is broken, and the checker shows how.
 * `MODEL_TRACES=1 npx vitest run test/model` prints the counterexamples.
 */
import { describe, expect, it } from 'vitest'
import { explore } from './checker.ts'
import { configurations } from './lake-model-configurations.ts'
import type { Rule } from './lake-model-rules.ts'
import { lakeModel } from './lake-model.ts'

const needlessVoid = 'an entry is void only if the store itself lost an upload of it'
const uncommitted = 'no file is visible that no entry names'
const twice = 'no record is in the manifests twice'
const ahead = 'the watermark is never ahead of what is in the manifests'
const vanished = 'every file of a done entry stays visible until a later generation replaces it'
const visibleOnce = 'after an honest run the visible files hold every record once'

/** Where each rule is missed, and what breaks without it. */
const missed: Record<Rule, [keyof typeof configurations, law: string]> = {
  fence: ['zombies', needlessVoid],
  removesOnlyClosed: ['foreign', needlessVoid],
  leftoversByName: ['zombies', 'after an honest run nothing stays staged'],
  readBack: ['zombies', uncommitted],
  openRollsForward: ['zombies', 'after an honest run every entry is decided'],
  openCleansVoids: ['expiry', visibleOnce],
  openDeletesReplaced: ['generations', visibleOnce],
  oneList: ['zombies', twice],
  numberFromOpen: ['windows', visibleOnce],
  preflight: ['expiry', 'no entry names an upload that was lost before its commit began'],
  lookAgain: ['zombies', 'StagedDataLost is never said of a run that has committed'],
  nonce: ['units', ahead],
  chain: ['units', twice],
  obeyOutcome: ['flight', vanished],
  cancelFence: ['cancel', needlessVoid],
  cancelFencesNextStep: ['cancelledSteps', needlessVoid],
  ownNamesOnly: ['zombies', needlessVoid],
  settleBeforeVoid: ['expiry', needlessVoid],
  stepsInOrder: ['steps', ahead],
  countsWithLast: ['generations', vanished],
  finishUnfinished: ['steps', twice],
  windowKeepsWatermark: ['windows', twice],
  fullReadsWindows: ['windows', ahead],
  resetTakesNewKey: ['reset', needlessVoid],
  mineByUnits: ['resetSteps', twice],
  hintStopsAtVoid: ['hint', visibleOnce],
}

function without(rule: Rule) {
  const { violation } = explore(lakeModel(configurations[missed[rule][0]], { [rule]: false }))
  return violation ?? { law: 'none', trace: [] }
}

describe('the commit protocol without the rule', () => {
  for (const [rule, [, expected]] of Object.entries(missed)) {
    it(`${rule} breaks: ${expected}`, () => {
      const { law, trace } = without(rule as Rule)
      expect(law.replace(' (after an honest run)', '')).toBe(expected)
      expect(trace.length).toBeGreaterThan(5)
      if (process.env.MODEL_TRACES) console.log([`without ${rule}: ${law}`, ...trace].join('\n'))
    })
  }

  it('fence: a zombie commits what the next run has already removed', () => {
    expect(without('fence').trace.join('\n')).toMatchInlineSnapshot(`
      "  1. first run: starts
        2. first run: open: LIST entries and outcomes
        3. first run: open: LIST what older runs left   -> first run would take number 1 after entry 0
        4. first run: open: the workflow accepts the answer
        5. first run: plan: create the plan, read it back   -> plan of first run: number 1, [0, 1)
        6. first run: plan: the workflow accepts the answer
        7. first run: extract: stage a file   -> upload 0 of first run with [0, 1): staged
        8. first run: extract: create the unit record, read it back   -> unit record 0 of first run
        9. first run: extract: the workflow accepts the answer
       10. first run: commit: GET the entry
       11. first run: commit: walk the chain, LIST the uploads
       12. first run: is terminated   -> first run is over
       13. next run: starts
       14. next run: open: LIST entries and outcomes
       15. next run: open: LIST what older runs left
       16. next run: open: abort an upload of a run that is over   -> upload 0 of first run with [0, 1): aborted
       17. first run, zombie: commit: create the entry, read it back   -> entry 1: upload 0 by first run, watermark 1"
    `)
  })
})
