/** The two files of the demo, as a person would write them. */

/** `lake`: its connection, as it stands below `connections:`. */
export const installationText = (url: string, lake: string): string => `version: 1
connections:
  crm:
    connector: salesforce
    loginUrl: ${url}
    auth:
      type: client_credentials
      clientId: { env: LAKEWARD_DEMO_CLIENT_ID }
      clientSecret: { env: LAKEWARD_DEMO_CLIENT_SECRET }
${lake}`

export const flowText = (name: string): string => `version: 1
name: ${name}
description: Accounts and Opportunities of a simulated Salesforce org
source:
  connection: crm
  settle: 1s                     # a real org needs minutes; the simulated one has no commits that are late
  objects:
    - object: Account
      into: accounts
      transform:
        - drop: [Fax]
        - mask: { fields: [Phone], keepLast: 4 }
    - object: Opportunity
      into: opportunities
destination:
  connection: lake
  prefix: salesforce/raw
  format: parquet
  fileSize: 1MB                  # small, so that there is something to see
trigger:
  cron: "0 2 * * *"
  timezone: Europe/Berlin
`
