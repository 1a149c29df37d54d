/** Whether text, or bytes of it, are JSON of any kind. */
import { isUtf8 } from 'node:buffer'

export function isJson(value: string | Uint8Array): boolean {
  if (typeof value !== 'string' && !isUtf8(value)) return false
  try {
    JSON.parse(typeof value === 'string' ? value : Buffer.from(value).toString())
    return true
  } catch {
    return false
  }
}
