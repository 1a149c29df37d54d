/** A bus of moto with a rule that takes everything to a queue, and the queue's end: what was delivered. */
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge'

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html */
export interface Delivered {
  id: string
  source: string
  'detail-type': string
  time: string
  detail: Record<string, unknown>
}

export interface EventQueue {
  bus: string
  /** Empties the queue: moto looks at all its messages with each that comes or goes. */
  collect(): Promise<void>
  /** Everything that has come since the last call. */
  take(): Promise<Delivered[]>
}

const REGION = 'us-east-1'
let made = 0

export async function openEventQueue(url: string): Promise<EventQueue> {
  const client = new EventBridgeClient({
    endpoint: url,
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const bus = `bus-${process.pid}-${++made}`
  const { QueueUrl } = await sqs<{ QueueUrl: string }>(url, 'CreateQueue', { QueueName: `${bus}-queue` })
  await client.send(new CreateEventBusCommand({ Name: bus }))
  const rule = { Name: 'all', EventBusName: bus }
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-content-based-filtering.html
  await client.send(new PutRuleCommand({ ...rule, EventPattern: JSON.stringify({ source: [{ prefix: '' }] }) }))
  const Arn = `arn:aws:sqs:${REGION}:123456789012:${bus}-queue`
  await client.send(new PutTargetsCommand({ Rule: 'all', EventBusName: bus, Targets: [{ Id: 'queue', Arn }] }))
  client.destroy()
  const come: Delivered[] = []
  const collect = async (): Promise<void> => {
    for (;;) {
      const asked = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }
      const { Messages = [] } = await sqs<{ Messages?: Message[] }>(url, 'ReceiveMessage', asked)
      if (Messages.length === 0) return
      come.push(...Messages.map(({ Body }) => JSON.parse(Body) as Delivered))
      const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }))
      await sqs(url, 'DeleteMessageBatch', { QueueUrl, Entries })
    }
  }
  return {
    bus,
    collect,
    async take() {
      await collect()
      return come.splice(0)
    },
  }
}

interface Message {
  Body: string
  ReceiptHandle: string
}

/** moto finds the service by the credential's scope, and checks no signatures. */
async function sqs<T>(url: string, action: string, input: unknown): Promise<T> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/sqs/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(input),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${action}: ${answer.status} ${text.slice(0, 300)}`)
  return JSON.parse(text) as T
}
