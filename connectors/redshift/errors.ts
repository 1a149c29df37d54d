/**
 * What an error of the Data API, or of a statement, means: the one place that knows.
 * https://docs.aws.amazon.com/redshift-data/latest/APIReference/CommonErrors.html
 *
 * Law: a message holds no value of a record: what Redshift quotes of one is cut out.
 */
import type { ErrorKind } from '../connector.ts'
import { type AwsRule, awsError } from '../aws-errors.ts'
import { ConnectorError } from '../errors.ts'

const RULES: AwsRule[] = [
  {
    names: /^AccessDenied/,
    kind: 'forbidden',
    advice:
      'Allow the workers redshift-data:BatchExecuteStatement, ExecuteStatement, DescribeStatement, GetStatementResult, ' +
      'CancelStatement and ListStatements, with redshift-serverless:GetCredentials or ' +
      'redshift:GetClusterCredentialsWithIAM, or secretsmanager:GetSecretValue on the secret.',
  },
  { names: /^Throttling/, kind: 'throttled', waitMs: 5_000 },
  // 500 active statements: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
  { names: /^Active(Statements|Sessions)Exceeded/, kind: 'throttled', waitMs: 30_000 },
  {
    names: /^(InternalServer|DatabaseConnection|QueryTimeout|BatchExecuteStatement|ExecuteStatement)/,
    kind: 'transient',
  },
  { names: /^ResourceNotFound/, kind: 'missing' },
  {
    names: /^Validation/,
    kind: 'rejected',
    advice: 'Check workgroup or clusterIdentifier, database, region and secretArn of the connection.',
  },
]

export const apiError = (error: unknown, doing: string): Error => awsError(error, doing, 'redshift', RULES)

interface Saying {
  said: RegExp
  kind: ErrorKind
  code: string
  advice?: string
}

const SAYINGS: Saying[] = [
  // https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
  { said: /Serializable isolation violation|\b1023\b|deadlock detected/, kind: 'transient', code: 'Conflict' },
  // Somebody made it in between: the next attempt sees it.
  { said: /already exists/i, kind: 'transient', code: 'Conflict' },
  { said: /cancel+ed on user|ABORTED/, kind: 'transient', code: 'Aborted' },
  {
    said: /not authorized to assume|not authorized to get credentials of role/,
    kind: 'forbidden',
    code: 'CopyRole',
    advice: 'Associate the role with the warehouse, or correct `copyRole`; without it the default role is used.',
  },
  {
    said: /S3ServiceException/,
    kind: 'forbidden',
    code: 'CopyFiles',
    advice:
      'Allow `copyRole` s3:GetObject and s3:ListBucket on the staged files, and kms:Decrypt where they are sealed; to ' +
      'unload s3:PutObject as well, and kms:GenerateDataKey.',
  },
  // https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html (500 MB)
  {
    said: /result.{0,40}(size|exceed|too large)/i,
    kind: 'rejected',
    code: 'ResultSize',
    advice: 'Let it be unloaded: name `staging` of the connection, and set options: { unload: always } for the object.',
  },
  {
    said: /permission denied/i,
    kind: 'forbidden',
    code: 'Permission',
    advice:
      'Grant the user of the connection USAGE on the schema and SELECT on the table; for loads CREATE on the schema, ' +
      'and INSERT, UPDATE, DELETE on the table.',
  },
]

/** A statement that failed, by what Redshift says of it. */
export function statementError(
  said: string,
  doing: string,
  kind: ErrorKind = 'rejected',
  more?: string,
): ConnectorError {
  const known = SAYINGS.find((one) => one.said.test(said))
  const advice = more ?? known?.advice
  return new ConnectorError({
    connector: 'redshift',
    doing,
    kind: known?.kind ?? kind,
    reason: withoutValues(said),
    ...(known && { code: known.code }),
    ...(advice !== undefined && { advice }),
  })
}

const withoutValues = (said: string): string =>
  said
    .replaceAll(/(value|input syntax for [\w ]+:)\s*(['"]).*?\2/gis, '$1 …')
    .replace(/\s+/g, ' ')
    .slice(0, 600)
