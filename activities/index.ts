/** All steps over one worker's dependencies: names are unique in a worker and known to runs in flight, so they stay. */
import { cancelDelivery } from './cancel-delivery.ts'
import { cancelRun } from './cancel-run.ts'
import { closeRun } from './close-run.ts'
import { commitRun } from './commit-run.ts'
import type { Deps } from './deps.ts'
import { deliverUnit } from './deliver-unit.ts'
import { describeHolder } from './describe-holder.ts'
import { describeObject } from './describe-object.ts'
import { extractUnit } from './extract-unit.ts'
import { keepEvents } from './keep-events.ts'
import { metered } from './metrics.ts'
import { notifyRun } from './notify-run.ts'
import { openListener } from './open-listener.ts'
import { openLane } from './open-lane.ts'
import { pauseFailing } from './pause-failing.ts'
import { pauseFlows } from './pause-flows.ts'
import { planFlow } from './plan-flow.ts'
import { refreshToken } from './refresh-token.ts'
import type { Steps } from './steps.ts'

export function createActivities(deps: Deps): Steps {
  return metered({
    planFlow: planFlow(deps),
    describeHolder,
    pauseFailing,
    notifyRun: notifyRun(deps),
    openListener: openListener(deps),
    keepEvents: keepEvents(deps),
    openLane: openLane(deps),
    describeObject: describeObject(deps),
    extractUnit: extractUnit(deps),
    commitRun: commitRun(deps),
    deliverUnit: deliverUnit(deps),
    cancelDelivery: cancelDelivery(deps),
    closeRun: closeRun(deps),
    cancelRun: cancelRun(deps),
    refreshToken: refreshToken(deps),
    pauseFlows,
  })
}
