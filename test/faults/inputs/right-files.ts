/** A flow and an installation that use as much of the grammar as goes together: what the mutations begin with. */

export const everyKey = [
  `version: 1
name: every.key-1
description: "all that goes together: 1"
source:
  connection: crm
  read: incremental
  startFrom: 2024-01-01T00:00:00+02:00
  settle: 10m
  lookback: 2h
  includeDeleted: true
  options: { api: auto }
  objects:
    - object: Account
      id: accounts
      into: accounts/all
      keys: [Id]
      where:
        AnnualRevenue: { gte: 1000, lt: "99999999999999999999" }
        Name: { contains: "&", isNull: false }
        BillingCity: { in: [Berlin, "N/A"] }
      transform: &steps
        - rename: { AnnualRevenue: annual_revenue }
        - cast: { annual_revenue: "decimal(18,2)" }
        - concat: { into: address, template: "{BillingStreet}, {BillingCity} {{x" }
        - arithmetic: { into: twice, add: [annual_revenue, 1, annual_revenue] }
        - truncate: { fields: [Name], length: 10 }
        - formatDate: { fields: [SystemModstamp], pattern: yyyy-MM, timezone: Europe/Berlin }
        - mapValues: { fields: [BillingCity], values: { "": none, x: null }, otherwise: null }
        - hash: { fields: [Website], key: pii }
        - mask: { fields: [Phone], keepFirst: 1, keepLast: 4 }
        - set: { origin: crm, one: 1, yes: true }
        - validate: { fields: [Name], rule: notNull, onInvalid: drop }
        - drop: [BillingStreet]
    - object: Contact*
      transform: *steps
    - Opportunity
destination:
  connection: lake
  prefix: salesforce/raw
  write: append
  format: parquet
  layout: lakeward
  partitionBy: [day(SystemModstamp), runId, schemaVersion, BillingCity]
  fileSize: 64MB
onDrift: evolve
onInvalid: quarantine
maxQuarantined: 1%
trigger: { cron: "*/15 0-6 1 JAN-MAR mon", timezone: Europe/Berlin, catchUp: 6h, jitter: 30s }
tags: { team: data }
taskQueue: eu
`,
  `version: 1
name: files
source:
  connection: inbox
  read: full
  format: csv
  csv: { delimiter: ";", header: true, quote: '"', encoding: utf-8, null: "N/A" }
  objects:
    - object: orders/*.csv
      into: orders
      schema: { id: int64, "at the": timestamp, sum: "decimal(10,2)" }
destination: { connection: lake, write: replace, format: jsonl }
trigger: { every: 1h, start: 2026-01-01 }
run: { full: true, keepOld: true, objects: [orders] }
`,
]

export const installation = `version: 1
connections:
  crm:
    connector: salesforce
    loginUrl: https://acme.my.salesforce.com
    apiVersion: "63.0"
    taskQueue: crm-only
    limits: { parallel: 5, dailyCalls: 50% }
    auth:
      type: refresh_token
      clientId: { env: SF_CLIENT_ID }
      clientSecret: { file: secrets/canary }
      refreshToken: { env: SF_TOKEN }
      scopes: [api, refresh_token]
  machine:
    connector: salesforce
    loginUrl: https://acme.my.salesforce.com
    auth: { type: jwt_bearer, clientId: app, subject: a@b.c, privateKey: { file: key.pem } }
  lake:
    connector: s3
    bucket: acme-lake
    path: base/all
    region: eu-central-1
    endpoint: http://127.0.0.1:7070
    encryption: { mode: kms, keyId: alias/lake }
    auth: { type: aws_keys, accessKeyId: AKIA, secretAccessKey: { env: KEY } }
  local: { connector: file, path: ./lake }
  warehouse:
    connector: redshift
    workgroup: analytics
    database: dev
    region: eu-central-1
    staging: { connection: lake, prefix: staged }
  events: { connector: eventbridge, bus: crm, region: eu-central-1 }
  shop:
    connector: webhook
    scheme: hmac
    signature: { header: X-Shop-Signature, prefix: sha256=, signs: '{timestamp}.{body}' }
    timestamp: { header: X-Shop-Timestamp }
    id: { path: id }
    auth: { type: signing_secret, secret: { env: SHOP_SECRET } }
state: local
keys:
  pii: { env: PII_KEY }
codec: { keys: { k1: { env: CODEC_KEY }, k2: { kmsKey: alias/codec, region: eu-central-1 } }, use: k1 }
worker:
  slots: 4
  memory: 80%
  taskQueues: [lakeward, crm-only]
  grace: 30s
  heartbeat: 20s
  metrics: { prometheus: 127.0.0.1:9464 }
  health: 127.0.0.1:8080
listen: { address: 127.0.0.1:8480, maxBody: 2MB, rate: 100, waiting: 1000 }
`
