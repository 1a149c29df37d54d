/** What `lakeward init` writes: an installation and one flow, to be edited. */

export const sampleInstallation = `# What this installation can reach. Workers read it; it is never sent to Temporal.
version: 1
connections:
  crm:
    connector: salesforce
    loginUrl: https://MY-DOMAIN.my.salesforce.com    # Setup > My Domain
    auth:
      type: client_credentials
      clientId: { env: SF_CLIENT_ID }                # secrets are references: { env: NAME } or { file: path }
      clientSecret: { env: SF_CLIENT_SECRET }
  lake:
    connector: file
    path: ./lake                                     # a directory as a lake; relative to this file
`

export const sampleFlow = `# One flow. It holds no secrets: it lies in Temporal, with the history of every run.
version: 1
name: sample
description: Accounts and Opportunities into the lake
source:
  connection: crm
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
# trigger:                                           # without one the flow runs when it is asked to
#   cron: "0 2 * * *"
#   timezone: Europe/Berlin
`
