/**
 * arithmetic: exact wherever its operands are.
 *
 *   add, subtract, multiply of integers   int64
 *   add, subtract                         decimal with the largest scale, and room for the carry
 *   multiply                              decimal with the sum of the scales
 *   divide                                decimal with the first operand's scale, at least 6; the first operand by the
 *                                         product of the others, rounded once, half away from zero
 *   any of them with a float64            float64; so is a constant of more than 38 digits
 *
 * Decimals have 38 digits at most. A result that is too large and a division by zero are invalid values: the record is
 * treated as `onInvalid` says. A null operand makes null.
 */
import type { FieldType } from '../connector.ts'
import type { Operator } from '../flow-steps.ts'
import type { Column } from './batch.ts'
import { cellAt, present } from './cells.ts'
import { exactOf } from './field-kind.ts'
import type { Decimal } from './field-kind.ts'
import { decimalPlaces, decimalText, divideRounding, rescale, scaledText } from './numbers.ts'
import type { Make, Scope } from './scope.ts'

const MOST_DIGITS = 38
const LEAST_QUOTIENT_SCALE = 6

interface Operand {
  /** null: a double. */
  exact: Decimal | null
  integer: boolean
  nullable: boolean
  slot: number | null
  /** Unscaled, or the double; null: no value. */
  value(slots: Column[], row: number): bigint | number | null
}

export interface Arithmetic {
  into: string
  operator: Operator
  operands: (string | number)[]
}

export function arithmetic({ into, operator, operands: written }: Arithmetic, scope: Scope): void {
  const operands = written.map((one, i) => operandOf(one, scope, `${scope.at}.${operator}[${i}]`))
  const exacts = operands.map(({ exact }) => exact).filter((exact) => exact !== null)
  const exact = exacts.length === operands.length
  const type = exact
    ? exactType(
        operator,
        exacts,
        operands.every(({ integer }) => integer),
        scope,
      )
    : 'float64'
  const make = exact ? exactly(operator, operands, exacts, exactOf(type)!.scale) : nearly(operator, operands)
  const nullable = operands.some((operand) => operand.nullable)
  const slots = operands.map(({ slot }) => slot).filter((slot) => slot !== null)
  scope.produce({ name: into, type, nullable }, slots, 'arithmetic', make)
}

function operandOf(written: string | number, scope: Scope, at: string): Operand {
  if (typeof written === 'number') {
    const text = String(written)
    const scale = decimalPlaces(text)
    const unscaled = BigInt(scaledText(text, Math.min(scale, MOST_DIGITS), true))
    const precision = Math.max(scale, String(unscaled).replace('-', '').length)
    const constant = { nullable: false, slot: null }
    if (precision > MOST_DIGITS) return { ...constant, exact: null, integer: false, value: () => written }
    return { ...constant, exact: { precision, scale }, integer: scale === 0, value: () => unscaled }
  }
  const { field, slot } = scope.find(written, at)
  const { type, nullable } = field
  const exact = exactOf(type)
  if (!exact && type !== 'float64') {
    throw scope.wrong(`'${written}' is ${type}, not a number`, 'Cast it to a number before.', at)
  }
  return {
    exact,
    integer: type === 'int32' || type === 'int64',
    nullable,
    slot,
    value: (slots, row) => {
      const column = slots[slot]!
      if (!present(column, row)) return null
      const cell = cellAt(column, type, row) as bigint | number
      return exact ? BigInt(cell) : cell
    },
  }
}

function exactType(operator: Operator, operands: Decimal[], integers: boolean, scope: Scope): FieldType {
  if (integers && operator !== 'divide') return 'int64'
  const scales = operands.map(({ scale }) => scale)
  const [first, ...others] = operands as [Decimal, ...Decimal[]]
  const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0)
  let scale: number
  let whole: number
  if (operator === 'multiply') {
    scale = sum(scales)
    whole = sum(operands.map(({ precision }) => precision)) - scale
  } else if (operator === 'divide') {
    scale = Math.max(LEAST_QUOTIENT_SCALE, first.scale)
    whole = first.precision - first.scale + sum(others.map((other) => other.scale))
  } else {
    scale = Math.max(...scales)
    whole =
      Math.max(...operands.map(({ precision, scale: own }) => precision - own)) + String(operands.length - 1).length
  }
  if (scale > MOST_DIGITS) {
    throw scope.wrong(
      `the result would have ${scale} digits behind the point, and a decimal has ${MOST_DIGITS} at most`,
      'Cast the operands to decimals with fewer digits behind the point.',
    )
  }
  return `decimal(${Math.max(1, Math.min(MOST_DIGITS, whole + scale))},${scale})`
}

function exactly(operator: Operator, operands: Operand[], exacts: Decimal[], scale: number): Make {
  const values: bigint[] = []
  return (slots, row, builder) => {
    for (const [i, operand] of operands.entries()) {
      const value = operand.value(slots, row)
      if (value === null) return null
      values[i] = value as bigint
    }
    const [first, ...others] = values as [bigint, ...bigint[]]
    if (operator === 'multiply')
      return builder.value(
        others.reduce((a, b) => a * b, first),
        row,
      )
    if (operator === 'divide') {
      const by = others.reduce((a, b) => a * b, 1n)
      if (by === 0n) return DIVISION_BY_ZERO
      const shift = scale - exacts[0]!.scale + exacts.slice(1).reduce((sum, other) => sum + other.scale, 0)
      return builder.value(divideRounding(first * 10n ** BigInt(shift), by), row)
    }
    const aligned = values.map((value, i) => rescale(value, exacts[i]!.scale, scale)) as [bigint, ...bigint[]]
    return builder.value(
      aligned.reduce((a, b) => (operator === 'add' ? a + b : a - b)),
      row,
    )
  }
}

function nearly(operator: Operator, operands: Operand[]): Make {
  const one = APPLY[operator]
  return (slots, row, builder) => {
    let result: number | undefined
    for (const operand of operands) {
      const value = operand.value(slots, row)
      if (value === null) return null
      const double = operand.exact ? Number(decimalText(value as bigint, operand.exact.scale)) : (value as number)
      if (result === undefined) result = double
      else if (operator === 'divide' && double === 0) return DIVISION_BY_ZERO
      else result = one(result, double)
    }
    return builder.value(result!, row)
  }
}

const DIVISION_BY_ZERO = 'it is divided by zero'

const APPLY: Record<Operator, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
}
