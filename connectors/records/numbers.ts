/**
 * Numbers from their text and back, exactly.
 *
 * Law: a digit is never lost unasked. What does not fit is told as such, and whoever asked decides. Values of up to 15
 * digits stay JavaScript numbers (which hold them exactly); longer ones become bigints.
 */

/** Answer of `scaled` for text that is no number. */
export const NOT_A_NUMBER = Number.NaN
/** Answer of `scaled` for a number with more digits behind the point than the scale keeps. */
export const TOO_FINE = Number.POSITIVE_INFINITY

/** Beyond every type: 38 digits are the most. */
const BEYOND = 10n ** 60n
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/** The number in bytes [start, end) times 10^scale as an integer. With `rounding`, half goes away from zero. */
export function scaled(
  bytes: Uint8Array,
  start: number,
  end: number,
  scale: number,
  rounding = false,
): number | bigint {
  let at = start
  const negative = bytes[at] === 0x2d
  if (negative || bytes[at] === 0x2b) at++
  let whole = 0
  let digits = 0
  let point = -1
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30
    if (digit >= 0 && digit <= 9) {
      whole = whole * 10 + digit
      digits++
    } else if (digit === -2 && point < 0) point = digits
    else return scaledText(ascii(bytes, start, end), scale, rounding)
  }
  if (digits === 0) return NOT_A_NUMBER
  const shift = scale - (point < 0 ? 0 : digits - point)
  if (digits > 15 || digits + shift > 15) return scaledText(ascii(bytes, start, end), scale, rounding)
  if (shift >= 0) whole *= POWERS[shift]!
  else {
    const unit = POWERS[-shift]!
    const kept = Math.floor(whole / unit)
    const rest = whole - kept * unit
    if (rest !== 0 && !rounding) return TOO_FINE
    whole = rest * 2 >= unit ? kept + 1 : kept
  }
  return negative && whole !== 0 ? -whole : whole
}

export function scaledText(text: string, scale: number, rounding = false): number | bigint {
  const match = SHAPE.exec(text)
  const fraction = match?.[3] ?? ''
  const written = (match?.[2] ?? '') + fraction
  if (!match || written === '') return NOT_A_NUMBER
  const digits = written.replace(/^0+/, '')
  if (digits === '') return 0
  const shift = scale - fraction.length + Number(match[4] ?? 0)
  if (digits.length + shift > 60) return match[1] === '-' ? -BEYOND : BEYOND
  let value: bigint
  if (shift >= 0) value = BigInt(digits) * 10n ** BigInt(shift)
  else {
    const kept = digits.length + shift
    const rest = kept >= 0 ? digits.slice(kept) : digits
    if (!rounding && /[1-9]/.test(rest)) return TOO_FINE
    value = BigInt(kept > 0 ? digits.slice(0, kept) : 0)
    if (kept >= 0 && rest.charCodeAt(0) >= 0x35) value += 1n
  }
  return match[1] === '-' ? -value : value
}

/** Digits behind the point of the number that `plainDigits` read last. */
let places = 0

/**
 * All digits of a number of up to 15, without exponent, in bytes [start, end), as one integer; NaN for any other text.
 * Leaves how many of them stand behind the point in `places`.
 */
function plainDigits(bytes: Uint8Array, start: number, end: number): number {
  // Two integers of 32 bits, which are faster than one double.
  let high = 0
  let low = 0
  let digits = 0
  let point = -1
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30
    if (digit >= 0 && digit <= 9) {
      if (digits < 9) high = (high * 10 + digit) | 0
      else if (digits < 15) low = (low * 10 + digit) | 0
      else return Number.NaN
      digits++
    } else if (digit === -2 && point < 0) point = digits
    else return Number.NaN
  }
  if (digits === 0) return Number.NaN
  places = point < 0 ? 0 : digits - point
  return digits <= 9 ? high : high * POWERS[digits - 9]! + low
}

/** As `scaled` without rounding, for numbers it can be fast with; NaN for others, which may be numbers all the same. */
export function plainScaled(bytes: Uint8Array, start: number, end: number, scale: number): number {
  const negative = bytes[start] === 0x2d
  const whole = plainDigits(bytes, negative ? start + 1 : start, end)
  const shift = scale - places
  if (!(shift >= 0) || shift > 15) return Number.NaN
  const value = whole * POWERS[shift]!
  if (!(value <= Number.MAX_SAFE_INTEGER)) return Number.NaN
  return negative && value !== 0 ? -value : value
}

/** As `float64`, for numbers it can be fast with; NaN for others, which may be numbers all the same. */
export function plainFloat64(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === 0x2d
  const whole = plainDigits(bytes, negative ? start + 1 : start, end)
  // Both operands are exact up to 15 digits, so one division rounds once and rightly.
  const value = places === 0 ? whole : whole / POWERS[places]!
  return negative ? -value : value
}

/** The nearest double; NaN where the text is no number, an infinity where no double is near. */
export function float64(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  const negative = bytes[at] === 0x2d
  if (negative || bytes[at] === 0x2b) at++
  let whole = 0
  let digits = 0
  let point = -1
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30
    if (digit >= 0 && digit <= 9) {
      whole = whole * 10 + digit
      digits++
    } else if (digit === -2 && point < 0) point = digits
    else return float64Text(ascii(bytes, start, end))
  }
  // Both operands are exact up to 15 digits, so one division rounds once and rightly.
  if (digits === 0 || digits > 15) return float64Text(ascii(bytes, start, end))
  const value = point < 0 ? whole : whole / POWERS[digits - point]!
  return negative ? -value : value
}

export function float64Text(text: string): number {
  const match = SHAPE.exec(text)
  return match && (match[2] || match[3]) ? Number(text) : Number.NaN
}

/** Unscaled integer and scale as decimal text: 1234 and 2 is `12.34`. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString()
  const negative = unscaled < 0n
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Digits behind the point that a number's text has, once its exponent is applied. */
export function decimalPlaces(text: string): number {
  const match = SHAPE.exec(text)
  return Math.max(0, (match?.[3]?.length ?? 0) - Number(match?.[4] ?? 0))
}

export function divideFloor(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value < 0n !== by < 0n && quotient * by !== value ? quotient - 1n : quotient
}

/** Half goes away from zero. */
export function divideRounding(value: bigint, by: bigint): bigint {
  const negative = value < 0n !== by < 0n
  const a = value < 0n ? -value : value
  const b = by < 0n ? -by : by
  const kept = (a * 2n + b) / (b * 2n)
  return negative ? -kept : kept
}

export function rescale(unscaled: bigint, from: number, to: number): bigint {
  return to >= from ? unscaled * 10n ** BigInt(to - from) : divideRounding(unscaled, 10n ** BigInt(from - to))
}

export function ascii(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
