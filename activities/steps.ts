/** The steps as workflows call them: signatures alone, so that workflow code depends on no activity code. */
import type * as digests from './digests.ts'

export interface Steps {
  planFlow(input: digests.PlanFlowInput): Promise<digests.FlowPlan>
  describeHolder(workflowId: string): Promise<digests.HolderDigest>
  openLane(input: digests.OpenInput): Promise<digests.OpenDigest>
  describeObject(input: digests.DescribeInput): Promise<digests.PlanDigest>
  extractUnit(input: digests.ExtractInput): Promise<digests.UnitDigest>
  commitRun(input: digests.CommitInput): Promise<digests.CommitDigest>
  closeRun(input: digests.CloseInput): Promise<void>
  cancelRun(input: digests.CancelInput): Promise<digests.CancelDigest>
  refreshToken(input: digests.RefreshInput): Promise<digests.RefreshDigest>
}
