/** All steps of all activities. */
import type { Program, Step, StepName } from './lake-model-attempt.ts'
import { activityOf, stepNames } from './lake-model-attempt.ts'
import { commitGoesOn, commitSteps } from './lake-model-commit.ts'
import { cancelGoesOn, openDuties, openSteps } from './lake-model-open.ts'
import { rollForwardSteps } from './lake-model-roll-forward.ts'
import type { Attempt } from './lake-model-state.ts'

const program: Program = {
  ...openSteps,
  ...commitSteps,
  ...rollForwardSteps((w, a) => {
    if (activityOf(a) === 'open') openDuties(w, a)
    else if (activityOf(a) === 'commit') commitGoesOn(w, a)
    else cancelGoesOn(w, a)
  }),
  returned: { says: 'the answer is accepted', take() {} },
}
const table = stepNames.map((name: StepName) => program[name] as Step)

/** The step that an attempt takes next. */
export function stepOf(a: Attempt): Step {
  return table[a.get('step')]!
}
