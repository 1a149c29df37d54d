/**
 * What can be chosen of the model: the rules of the protocol, each of which can be taken out alone, and the
 * configurations, each of which bounds the world so that it can be searched to its end.
 */

/** Every rule in force: the protocol. One set to false: the protocol without it. */
export const allRules = {
  /** open closes the next number before it removes what older runs staged. */
  fence: true,
  /** A run is removed only if the number in its plan is not above the fence: what it takes next is closed. */
  removesOnlyClosed: true,
  /** Leftovers are found by plan, unit record or staged file; off: by plan alone. */
  leftoversByName: true,
  /** What was created is read back; off: an answer "exists" is taken for one's own lost success. */
  readBack: true,
  /** open rolls an entry without outcome forward. */
  openRollsForward: true,
  /** open repeats the clean-up of a void. */
  openCleansVoids: true,
  /** open repeats the deletion of what a generation replaced. */
  openDeletesReplaced: true,
  /** Number, watermark and state come from one LIST; off: the number comes from a second one. */
  oneList: true,
  /** The number is the one open fixed; off: highest seen + 1 when the run commits. */
  numberFromOpen: true,
  /** commit checks that every upload is alive. */
  preflight: true,
  /** GET entry n once more before saying StagedDataLost. */
  lookAgain: true,
  /** Unit records and files carry a nonce; off: a later attempt overwrites an earlier one's record. */
  nonce: true,
  /** commit takes the chain of units the workflow accepted; off: every unit record it finds. */
  chain: true,
  /** Who wrote an outcome obeys the one that is there. */
  obeyOutcome: true,
  /** cancel closes the number its run would take next. */
  cancelFence: true,
  /** ... of a run that has committed steps, the number after them; off: the number of its first. */
  cancelFencesNextStep: true,
  /** Uploads are aborted by the run's own file names; off: all below the plan's prefix. */
  ownNamesOnly: true,
  /** Absent and unlisted is lost only after completes in flight have landed. */
  settleBeforeVoid: true,
  /** A step is committed only after the `done` of the one before; off: after its entry. */
  stepsInOrder: true,
  /** A generation counts and replaces only with its last entry. */
  countsWithLast: true,
  /** The next run finishes an unfinished plan first. */
  finishUnfinished: true,
  /** from/to leaves the watermark where it is. */
  windowKeepsWatermark: true,
  /** --full reads from the earliest of startFrom and the delivered windows. */
  fullReadsWindows: true,
  /** A workflow that is reset to before its open takes a new run key; off: the old one. */
  resetTakesNewKey: true,
  /** Mine is an entry of the same run and the same last units; off: of the same run. */
  mineByUnits: true,
  /** The hint passes no void whose clean-up may have to be repeated; off: any done entry that owes nothing itself. */
  hintStopsAtVoid: true,
}
export type Rules = typeof allRules
export type Rule = keyof Rules

export interface RunSpec {
  name: string
  /** Runs of one namespace come one after the other; others run at the same time. */
  namespace: number
  kind: 'incremental' | 'generation' | 'window'
  /** Where it stops reading; a window ends where the lane's `startFrom` is. */
  bound: number
  /** The run, by name, that goes on under this key after a CommitConflict or lost data. */
  restarts?: string
}

export type Activity = 'open' | 'plan' | 'extract' | 'commit' | 'close' | 'cancel'

export interface Configuration {
  name: string
  runs: RunSpec[]
  /** The source holds one record for each stamp 0, 1, ... below this. */
  records: number
  /** `startFrom` of the lane. */
  start: number
  /** Ranges of a plan, 1 or 2, read in parallel. */
  ranges: number
  /** Records of a unit: any of these, whichever attempt reads it. */
  unitRecords: number[]
  /** Each unit is committed by an entry of its own. */
  steps: boolean
  /**
   * Completing a file takes time: meanwhile its upload is gone and the file not there yet. `settles`: never longer than
   * the settle wait; `outlasts`: perhaps longer.
   */
  flight: 'none' | 'settles' | 'outlasts'
  /** open takes the runs of foreign namespaces for old ones (as after 7 days), though they go on. */
  foreignIsOld: boolean
  /** Runs leave a hint where the next LIST begins. */
  hint: boolean
  /** Attempts whose zombies are of interest here; others of them just die. */
  zombies: Activity[]
  most: {
    /** Attempts that time out; each may go on as a zombie, at any later time or never. */
    timeouts: number
    /** Runs ended from outside, without clean-up. */
    terminations: number
    /** Runs cancelled, or failed for good at any place, with clean-up. */
    cancels: number
    /** Uploads that the store drops. */
    expiries: number
    /** Workflows reset, to before their open or to after their plan. */
    resets: number
    /** Attempts alive at once. */
    attempts: number
    entries: number
    /** Units that one run may write, all attempts together. */
    units: number
  }
}
