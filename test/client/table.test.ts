import { printable } from '../../connectors/printable.ts'
import { expect, test } from 'vitest'
import { fit, listing, table, width } from '../../client/terminal/table.ts'

test('columns are as wide as their widest cell, numbers stand right, nothing trails', () => {
  const text = table(
    [{ title: 'OBJECT' }, { title: 'ROWS', align: 'right' }, { title: 'NOTE' }],
    [
      ['Account', '18,200', ''],
      ['X', '7', 'late'],
    ],
  )
  expect(text.split('\n')).toEqual(['OBJECT     ROWS  NOTE', 'Account  18,200', 'X             7  late'])
})

test('wide characters take two columns, marks none, and a cut never splits one', () => {
  expect(width('漢字')).toBe(4)
  expect(width('🙂')).toBe(2)
  expect(width('e\u0301')).toBe(1)
  expect(fit('漢字漢字', 5)).toBe('漢字…')
  expect(fit('abcdef', 4)).toBe('abc…')
  expect(fit('abcd', 4)).toBe('abcd')
  expect(table([{ title: 'A', most: 3 }], [['漢字漢字']])).toBe('A\n漢…')
})

test('what a vendor wrote cannot move the cursor, turn the text or begin a line', () => {
  const nasty = 'a\u001b[31mb\nc\td\u202ee\u0007'
  expect(printable(nasty)).toBe('a·[31mb⏎c⇥d·e·')
  const shown = table([{ title: 'V' }], [[nasty]])
  expect(shown.split('\n')).toHaveLength(2)
  expect(shown).not.toContain('\u001b')
})

test('a listing keeps several lines of one value in its column', () => {
  expect(
    listing([
      ['Flow', 'crm'],
      ['Next runs', 'one\ntwo'],
    ]),
  ).toBe('Flow       crm\nNext runs  one\n           two')
})
