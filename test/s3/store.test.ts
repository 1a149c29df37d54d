import { describe, it } from 'vitest'
import { storeConformance } from '../conformance/store.ts'
import { describeOnS3, s3Harness } from './s3-place.ts'

describeOnS3('a bucket', (server) => {
  storeConformance({ describe, it }, { name: 'a bucket', open: () => s3Harness(server) })
})
