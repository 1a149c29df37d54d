/**
 * A bucket's lake as a folder, as a directory lake would lie there, so that whoever looks at files looks at both alike:
 * objects at their keys, and each upload that is not completed as an empty file among its lane's staged ones.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { lane8 } from '../../connectors/lake/keys.ts'

export interface Bucket {
  client: S3Client
  bucket: string
}

export class LakeMirror {
  readonly folder: string
  readonly #at: Bucket
  readonly #namespaceId: string
  readonly #tags = new Map<string, string>()
  #pulled: Promise<void> = Promise.resolve()

  constructor(folder: string, at: Bucket, namespaceId: string) {
    this.folder = folder
    this.#at = at
    this.#namespaceId = namespaceId
  }

  /** Brings the folder to what the bucket has now; one after the other. */
  pull(): Promise<void> {
    const pulled = this.#pulled.then(() => this.#pull())
    this.#pulled = pulled.catch(() => {})
    return pulled
  }

  async #pull(): Promise<void> {
    const objects = await this.#objects()
    const lanes = lanesOf(objects.keys(), this.#namespaceId)
    const uploads = (await unfinishedUploads(this.#at)).map((key) => {
      const lane = lanes.get(key.slice(key.lastIndexOf('/') + 1).split('-')[0] ?? '') ?? '_lakeward/nobody/nothing'
      return `${lane}/staged/${key}`
    })
    const wanted = new Set([...objects.keys(), ...uploads])
    for (const path of filesBelow(this.folder)) if (!wanted.has(path)) this.#drop(path)
    for (const [key, tag] of objects) if (this.#tags.get(key) !== tag) await this.#fetch(key, tag)
    for (const path of uploads) this.#write(path, new Uint8Array())
  }

  async #objects(): Promise<Map<string, string>> {
    const { client, bucket } = this.#at
    const found = new Map<string, string>()
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket })) {
      for (const { Key = '', ETag = '', Size = 0 } of Contents) found.set(Key, `${ETag}${Size}`)
    }
    return found
  }

  async #fetch(key: string, tag: string): Promise<void> {
    const { client, bucket } = this.#at
    const get = client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    const found = await get.catch((error: Error) => {
      if (error.name === 'NoSuchKey') return null
      throw error
    })
    // Another run has removed it since it was listed.
    if (!found) return
    const { Body } = found
    this.#write(key, (await Body?.transformToByteArray()) ?? new Uint8Array())
    this.#tags.set(key, tag)
  }

  #write(path: string, bytes: Uint8Array): void {
    const target = join(this.folder, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, bytes)
  }

  #drop(path: string): void {
    this.#tags.delete(path)
    rmSync(join(this.folder, path))
  }
}

/** Keys of uploads that are neither completed nor aborted; moto and versitygw both page by the key alone. */
export async function unfinishedUploads({ client, bucket }: Bucket): Promise<string[]> {
  const keys: string[] = []
  for (let KeyMarker: string | undefined; ;) {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, KeyMarker }))
    keys.push(...(page.Uploads ?? []).map(({ Key = '' }) => Key))
    if (!page.IsTruncated) return keys
    KeyMarker = page.NextKeyMarker
  }
}

/** Folder of each lane that has one, by the first letters of its files' names. */
function lanesOf(keys: Iterable<string>, namespaceId: string): Map<string, string> {
  const lanes = new Map<string, string>()
  for (const key of keys) {
    const [, flow, object] = /^_lakeward\/([^/]+)\/([^/]+)\/(?:commits|plans|units)\//.exec(key) ?? []
    if (flow === undefined || object === undefined) continue
    const names = { flow: decodeURIComponent(flow), object: decodeURIComponent(object) }
    lanes.set(lane8({ namespaceId, ...names }), `_lakeward/${flow}/${object}`)
  }
  return lanes
}

function filesBelow(folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => relative(folder, join(found.parentPath, found.name)))
}
