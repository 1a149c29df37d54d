/**
 * One spelling for a JSON value: members sorted, `undefined` left out, no spaces. What is hashed or compared is this.
 */
import { createHash } from 'node:crypto'

export function canonical(value: unknown): string {
  return JSON.stringify(sorted(value))
}

export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 32)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  // Without a prototype, so that a member called __proto__ stays a member.
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, member] of members) result[name] = sorted(member)
  return result
}
