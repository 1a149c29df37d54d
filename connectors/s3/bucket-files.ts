/** A bucket's folder as a place of files to read. */
import type { FileTree, FoundFile } from '../files/file-tree.ts'
import { changed } from '../files/file-tree.ts'
import type { S3Place } from '../lake/s3/s3-calls.ts'
import { S3Calls } from '../lake/s3/s3-calls.ts'
import { isAbsent, meaningOf } from '../lake/s3/s3-errors.ts'

/** A body that breaks off is asked for again from there, so often without a byte in between. */
const MOST_BREAKS = 3

export function bucketFiles({ path, ...place }: S3Place & { path: string }): FileTree {
  const folder = path.replace(/^\/+|\/+$/g, '')
  const base = folder === '' ? '' : `${folder}/`
  const s3 = new S3Calls(place)
  const tree: FileTree = {
    connector: 's3',
    name: `s3://${place.bucket}${folder === '' ? '' : `/${folder}`}`,
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    async *list(prefix) {
      let ContinuationToken: string | undefined
      do {
        const doing = `list ${tree.name}/${prefix}`
        const page = await s3.call(doing, 'ListObjectsV2', {
          Prefix: base + prefix,
          ...(ContinuationToken && { ContinuationToken }),
        })
        for (const { Key = '', Size = 0, ETag = '', LastModified } of page.Contents ?? []) {
          const key = Key.slice(base.length)
          // What ends in / stands for a folder in some tools.
          if (key.startsWith('_lakeward/') || key.endsWith('/') || key === '') continue
          yield { key, bytes: Size, version: ETag, modifiedMs: LastModified?.getTime() ?? 0 }
        }
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
      } while (ContinuationToken)
    },
    async *read(file, start, end = file.bytes) {
      let at = start
      for (let breaks = 0; at < end && breaks < MOST_BREAKS; breaks++) {
        try {
          for await (const piece of await get(file, at, end)) {
            at += piece.length
            breaks = 0
            yield piece
          }
        } catch (error) {
          const { status } = meaningOf(error)
          if (status === 412) throw changed(tree, file, 'has changed')
          if (isAbsent(error)) throw changed(tree, file, 'is gone')
          const last = breaks === MOST_BREAKS - 1
          if (last || meaningOf(error).code !== 'network') throw s3.translated(error, doing(file), 'GetObject')
        }
      }
      if (at < end) throw s3.translated(new Error('the answer ends too early'), doing(file), 'GetObject')
    },
  }
  const doing = ({ key }: FoundFile): string => `read ${tree.name}/${key}`

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
  async function get({ key, version, bytes }: FoundFile, at: number, end: number): Promise<AsyncIterable<Uint8Array>> {
    const whole = at === 0 && end === bytes
    const { Body } = await s3.send('GetObject', {
      Key: base + key,
      IfMatch: version,
      ...(!whole && { Range: `bytes=${at}-${end - 1}` }),
    })
    return Body as unknown as AsyncIterable<Uint8Array>
  }
  return tree
}
