/** Settings of a Redshift connection. */
import { z } from 'zod'
import { always, strict, text, words } from '../strict.ts'

const arn = (about: string, pattern: RegExp, shape: string) =>
  z
    .string()
    .regex(pattern, { error: words('is no ARN', shape) })
    .describe(about)
const role = (about: string) =>
  arn(about, /^arn:[\w-]+:iam::\d{12}:role\/[^,']+$/, 'arn:aws:iam::123456789012:role/name')

export const settings = strict('a redshift connection', {
  workgroup: text('Workgroup of Redshift Serverless').optional(),
  clusterIdentifier: text('Identifier of a provisioned cluster').optional(),
  database: text('Database'),
  schema: text('Schema of tables that are named without one, and of the ledger').default('public'),
  region: text("Region of the warehouse; default: the machine's (AWS_REGION, profile)").optional(),
  endpoint: z
    .url({ protocol: /^https?$/, error: words('is no address', 'https://host of the Data API, as in a VPC') })
    .describe('Another address of the Data API; default: AWS')
    .optional(),
  role: role('ARN of a role to assume for the Data API').optional(),
  externalId: text('What the role asks for from others').optional(),
  copyRole: role('ARN of the role that COPY reads the staged files with; default: the one of the warehouse').optional(),
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
