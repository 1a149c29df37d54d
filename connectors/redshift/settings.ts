/** Settings of a Redshift connection. */
import { apiEndpoint, arn, externalId, roleArn } from '../aws-settings.ts'
import { always, strict, text, words } from '../strict.ts'

export const settings = strict('a redshift connection', {
  workgroup: text('Workgroup of Redshift Serverless').optional(),
  clusterIdentifier: text('Identifier of a provisioned cluster').optional(),
  database: text('Database'),
  schema: text('Schema of tables that are named without one, and of the ledger').default('public'),
  region: text("Region of the warehouse; default: the machine's (AWS_REGION, profile)").optional(),
  endpoint: apiEndpoint('the Data API').optional(),
  role: roleArn('ARN of a role to assume for the Data API').optional(),
  externalId: externalId.optional(),
  copyRole: roleArn(
    'ARN of the role that COPY reads staged files with, and UNLOAD writes them; default: the one of the warehouse',
  ).optional(),
  secretArn: arn(
    'Secret with the login of the database; default: the identity of the workers',
    /^arn:[\w-]+:secretsmanager:.+$/,
    'arn:aws:secretsmanager:…',
  ).optional(),
}).superRefine(({ workgroup, clusterIdentifier }, context) => {
  if ((workgroup === undefined) !== (clusterIdentifier === undefined)) return
  const what = workgroup === undefined ? 'names no warehouse' : "'workgroup' and 'clusterIdentifier' exclude each other"
  const message = words(what, 'one of: workgroup (Serverless), clusterIdentifier (provisioned)')
  context.addIssue({ code: 'custom', message })
}, always)

/** As `settings` parsed them. */
export interface Warehouse {
  workgroup?: string
  clusterIdentifier?: string
  database: string
  schema: string
  region?: string
  endpoint?: string
  copyRole?: string
  secretArn?: string
}
