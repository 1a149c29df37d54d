/**
 * The size law, at a line width of 120: no code file above 400 lines, nine in ten at most 300, the median at most 100.
 */
import { expect, it } from 'vitest'
import { codeFiles, textOf } from './sources.ts'

const sizes = codeFiles()
  .map((path) => ({ path, lines: textOf(path).trimEnd().split('\n').length }))
  .sort((a, b) => a.lines - b.lines)
const linesAt = (share: number): number => sizes[Math.ceil(sizes.length * share) - 1]?.lines ?? 0

it('no code file is above 400 lines', () => {
  expect(sizes.filter(({ lines }) => lines > 400)).toEqual([])
})

it('nine in ten have at most 300 lines', () => {
  expect(linesAt(0.9)).toBeLessThanOrEqual(300)
})

it('the median is at most 100 lines', () => {
  expect(linesAt(0.5)).toBeLessThanOrEqual(100)
})

it('no line is wider than 120, but for a text that cannot be broken', () => {
  // The formatter breaks code, not comments and not texts: a quoted one, a line of a longer one, an address.
  const text = /['"`][^'"`]{30,}|^\s*(?:\w+ )?(['"`]).*\1[\]),]*$/
  const address = /https?:\/\/\S{60}/
  const wide = codeFiles().flatMap((path) => {
    let inside = false
    return textOf(path)
      .split('\n')
      .flatMap((line, at) => {
        const comment = /^\s*(?:\*|\/\/|\/\*)/.test(line)
        const unbroken = address.test(line) || (!comment && (inside || text.test(line)))
        if (!comment && (line.match(/(?<!\\)`/g) ?? []).length % 2 === 1) inside = !inside
        return line.length <= 120 || (line.length <= 240 && unbroken) ? [] : [`${path}:${at + 1}`]
      })
  })
  expect(wide).toEqual([])
})
