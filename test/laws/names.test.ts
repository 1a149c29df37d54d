import { describe, expect, it } from 'vitest'
import { codeFiles, filesBelow, textOf } from './sources.ts'

describe('file names', () => {
  it('are kebab-case and say what the file exports', () => {
    const stems = codeFiles().map((path) => ({
      path,
      stem: path.slice(path.lastIndexOf('/') + 1).replace(/(\.test|\.d)?\.ts$/, ''),
    }))
    const odd = stems.filter(({ stem }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(stem))
    const empty = stems.filter(({ stem }) => /^(?:utils?|helpers?|common|shared|types|misc)$/.test(stem))
    expect([...odd, ...empty].map(({ path }) => path)).toEqual([])
  })

  it('have index only as the entry of a public room', () => {
    const entries = codeFiles().filter((path) => path.endsWith('/index.ts'))
    const rooms = /^(?:connectors(?:\/[a-z0-9-]+)?|activities|workflows|client|test\/conformance)\/index\.ts$/
    expect(entries.filter((path) => !rooms.test(path))).toEqual([])
  })
})

it("no file names a path of somebody's machine", () => {
  const text = /\.(?:ts|mjs|js|json|md|yaml|yml|toml|mod|html)$|\/run$|^[^.]*$|^\.[a-z]+$/
  const machine = /(?<![\w.~<{}-])\/(?:root|work|home\/[a-z]\w*|Users\/[A-Za-z]\w*)\/[\w.]/
  const found = filesBelow('.')
    .filter((path) => text.test(path))
    .flatMap((path) =>
      textOf(path)
        .split('\n')
        .flatMap((line, at) => (machine.test(line) ? [`${path}:${at + 1} ${line.trim().slice(0, 80)}`] : [])),
    )
  expect(found).toEqual([])
})
