/**
 * A summary as Temporal takes it: 400 bytes at most, counted after a codec has sealed it, and a codec's own bytes (a
 * wrapped data key among them) are three hundred. Longer ones would fail the workflow's task for ever.
 */
const MOST_BYTES = 90

export function summaryOf(text: string): string {
  let bytes = 0
  let kept = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4
    if (bytes > MOST_BYTES) break
    kept += char
  }
  return kept
}
