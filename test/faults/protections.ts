/**
 * The protections of the commit protocol, each as the edit that takes it out. A simulation that does not fail without
 * one of them cannot see what it protects from: `without.ts` tries them all, and those of `protections-beyond.ts`.
 */
export interface Protection {
  /** What is no longer done. */
  without: string
  file: string
  /** Stands in the file exactly once; else the list is older than the code. */
  find: string
  replace: string
  /** The test that fails without it; the simulation of the protocol unless said. */
  seenBy?: { test: string; name?: string }
}

const lake = (file: string): string => `connectors/lake/${file}`

export const protections: Protection[] = [
  {
    without: 'reading back what was created',
    file: lake('documents.ts'),
    find: `  await store.create(key, encodeDocument(document))
  const stored = await readDocument(store, key, shape)
  if (stored !== null) return stored`,
    replace: `  await store.create(key, encodeDocument(document))
  const stored = await readDocument(store, key, shape)
  if (stored !== null) return document`,
  },
  {
    without: 'entry before completion',
    file: lake('commit.ts'),
    find: '  const stored = await createOnce<Entry>(at.store, laneKeys(at.lane).entry(n), entry, entryShape)\n',
    replace: `  for (const file of entry.files) await at.store.complete(file)
  const stored = await createOnce<Entry>(at.store, laneKeys(at.lane).entry(n), entry, entryShape)\n`,
  },
  {
    without: 'a fence before dead runs are swept',
    file: lake('open.ts'),
    find: 'if (!fencedBefore(ledger, run, left.dead)) {',
    replace: 'if (ledger.highest < 0) {',
  },
  {
    without: 'opening again when the fence lost',
    file: lake('open.ts'),
    find: "if (stands.kind !== 'fence' || stands.run !== run.key) continue",
    replace: '',
  },
  {
    without: 'the debts of entries that nobody rolled forward',
    file: lake('debts.ts'),
    find: "if (entry.kind !== 'commit' || recorded.outcome) continue",
    replace: "if (entry.kind !== 'commit' || recorded.outcome || recorded.n > 0) continue",
  },
  {
    without: 'the debts of entries that replaced others',
    file: lake('debts.ts'),
    find: '    await deleteReplaced(at, entry)\n    if (entry.delivery',
    replace: '    if (entry.delivery',
  },
  {
    without: 'obeying the outcome that stands',
    file: lake('roll-forward.ts'),
    find: 'return createOnce(at.store, laneKeys(at.lane).outcome(entry.n), outcome, outcomeShape)',
    replace:
      'await createOnce(at.store, laneKeys(at.lane).outcome(entry.n), outcome, outcomeShape)\n  return outcome as Outcome',
  },
  {
    without: 'waiting for a completion elsewhere',
    file: lake('roll-forward.ts'),
    find: 'if (lost.length > 0 || absent.length === 0 || waited >= at.store.settleMs)',
    replace: 'if (lost.length >= 0 || waited > 0)',
  },
  {
    without: 'moving the watermark with the last step only',
    file: lake('commit-entry.ts'),
    find: '...(last ? movedBy(plan, parts.state) : carried(plan))',
    replace: '...movedBy(plan, parts.state)',
  },
  {
    without: 'a plan for what is staged by nobody',
    file: lake('sweep.ts'),
    find: 'if ((await readPlan(at, run)) === null) await abortAll(at, uploads)',
    replace: 'await abortAll(at, uploads)',
  },
  {
    without: 'the hint behind what is owed',
    file: lake('debts.ts'),
    find: "    if (recorded.outcome?.outcome === 'void' && isYoung(at, recorded.outcome.writtenAt)) break\n",
    replace: '',
  },
  {
    without: 'closing the number of a run that is cancelled',
    file: lake('cancel.ts'),
    find: '    const entry = plan\n      ? await fence(at, next, run.key, `run ${run.key} was cancelled`)\n      : await',
    replace: '    const entry = await',
  },
]
