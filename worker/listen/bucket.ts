/** So many a second, and as many again at once after a pause. */
export class Bucket {
  readonly #perSecond: number
  #left: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#left = perSecond
    this.#atMs = nowMs
  }

  /** 0: they may come; else the seconds after which to ask again. */
  take(count: number, nowMs: number): number {
    const since = Math.max(0, nowMs - this.#atMs) / 1000
    this.#left = Math.min(this.#perSecond, this.#left + since * this.#perSecond)
    this.#atMs = nowMs
    // Any number may come to a full bucket: what one request holds is not torn apart.
    if (this.#left < Math.min(count, this.#perSecond)) return Math.ceil((count - this.#left) / this.#perSecond)
    this.#left -= count
    return 0
  }
}
