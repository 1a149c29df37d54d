/** Records by sObject Collections: calls of at most 200, some at a time. */
import { z } from 'zod'
import type { HttpRequest, Session } from '../../connector.ts'
import type { Outcome, RecordBatch } from '../../record-sink.ts'
import { together } from '../../together.ts'
import { dataUrl, jsonOf, wrongAnswer } from '../objects.ts'
import { jsonRecord } from './cells.ts'
import { type Load, loadOf } from './load.ts'
import { outcomeOf, type SaveResult } from './outcome.ts'
import { pieces, rounds, streams, unblocked } from './order.ts'

const MOST = 200
const PARALLEL = 4

export async function sendCollections(session: Session, batch: RecordBatch): Promise<Outcome[]> {
  const load = loadOf(batch)
  const outcomes = new Map(load.refused)
  for (const round of rounds(load.open, load.identityOf)) {
    const parts = streams(unblocked(round, outcomes, load.identityOf), load.parentOf, PARALLEL)
    await together(parts, async (stream, stopped) => {
      for (const rows of pieces(stream, MOST)) {
        if (stopped()) return
        const results = await call(session, batch, load, rows)
        rows.forEach((row, at) => void outcomes.set(row, outcomeOf(results[at]!, batch.write, load.keyOf(row))))
        session.beat(`${outcomes.size} of ${batch.rows.length} records sent to ${batch.target.object}`)
      }
    })
  }
  return batch.rows.map((_, row) => outcomes.get(row)!)
}

async function call(session: Session, batch: RecordBatch, load: Load, rows: number[]): Promise<SaveResult[]> {
  const { target, write } = batch
  const doing = `${write} ${target.object}`
  const { body } = await session.http.request({ ...requestOf(session, batch, load, rows), accept: 'json', doing })
  const results = jsonOf(body, doing, saved) as SaveResult[]
  if (results.length !== rows.length) {
    throw wrongAnswer(doing, `${rows.length} records were sent, and the answer is not one result for each`)
  }
  return results
}

const saved = z.array(
  z.looseObject({
    id: z.string().nullish(),
    success: z.boolean(),
    errors: z
      .array(
        z.looseObject({
          statusCode: z.string().nullish(),
          message: z.string().nullish(),
          fields: z.array(z.string()).nullish(),
        }),
      )
      .optional(),
  }),
)

// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
function requestOf(session: Session, batch: RecordBatch, load: Load, rows: number[]): Omit<HttpRequest, 'doing'> {
  const { target, write, key } = batch
  if (write === 'delete') {
    const ids = rows.map(load.keyOf).join(',')
    const path = `composite/sobjects?allOrNone=false&ids=${encodeURIComponent(ids)}`
    return { method: 'DELETE', url: dataUrl(session, path) }
  }
  const byKey = write === 'upsert' ? `/${encodeURIComponent(target.object)}/${encodeURIComponent(key ?? '')}` : ''
  const records = rows.map((row) => jsonRecord(target, load.fields, batch.rows[row]!, load.nulls))
  return {
    method: 'PATCH',
    url: dataUrl(session, `composite/sobjects${byKey}`),
    headers: { 'content-type': 'application/json' },
    body: `{"allOrNone":false,"records":[${records.join(',')}]}`,
  }
}
