/** Loaded before a worker (`node --import`): its wall clock is SHIFT_CLOCK_MS off. Timers and monotonic clocks are not. */
const shift = Number(process.env['SHIFT_CLOCK_MS'] ?? 0)
const True = globalThis.Date
const now = () => True.now() + shift

globalThis.Date = new Proxy(True, {
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  construct: (target, args, as) => Reflect.construct(target, args.length === 0 ? [now()] : args, as),
  apply: () => new True(now()).toString(),
})
