/** The steps as workflows call them: signatures alone, so that workflow code depends on no activity code. */
import type * as digests from './digests.ts'

export interface Steps {
  readonly planFlow: (input: digests.PlanFlowInput) => Promise<digests.FlowPlan>
  readonly describeHolder: (workflowId: string) => Promise<digests.HolderDigest>
  readonly pauseFailing: (input: digests.PauseInput) => Promise<digests.PauseDigest>
  readonly notifyRun: (input: digests.NotifyInput) => Promise<digests.NotifyDigest>
  readonly openListener: (input: digests.ListenInput) => Promise<digests.ListenDigest>
  readonly keepEvents: (input: digests.KeepInput) => Promise<digests.KeepDigest>
  readonly openLane: (input: digests.OpenInput) => Promise<digests.OpenDigest>
  readonly describeObject: (input: digests.DescribeInput) => Promise<digests.PlanDigest>
  readonly extractUnit: (input: digests.ExtractInput) => Promise<digests.UnitDigest>
  readonly commitRun: (input: digests.CommitInput) => Promise<digests.CommitDigest>
  readonly deliverUnit: (input: digests.DeliverInput) => Promise<digests.DeliverDigest>
  readonly cancelDelivery: (input: digests.DeliverInput) => Promise<digests.CancelDigest>
  readonly closeRun: (input: digests.CloseInput) => Promise<digests.CloseDigest>
  readonly cancelRun: (input: digests.CancelInput) => Promise<digests.CancelDigest>
  readonly refreshToken: (input: digests.RefreshInput) => Promise<digests.RefreshDigest>
  readonly pauseFlows: (input: digests.PauseFlowsInput) => Promise<digests.PauseFlowsDigest>
}
