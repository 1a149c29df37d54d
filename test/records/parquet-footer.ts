/** The footer of a Parquet file, read by nothing of this project: Thrift's compact protocol into maps of field ids. */

export type Read = number | bigint | boolean | Buffer | Read[] | Map<number, Read>

/** Statistics of every row group's columns. */
export interface Told {
  rows: number
  columns: { nulls: number; least: Buffer | undefined; greatest: Buffer | undefined; encodings: number[] }[]
}

export function footerOf(file: Buffer): Told[] {
  const length = file.readUInt32LE(file.length - 8)
  const reader = new ThriftReader(file.subarray(file.length - 8 - length, file.length - 8))
  const groups = (reader.struct().get(4) ?? []) as Map<number, Read>[]
  return groups.map((group) => ({
    rows: Number(group.get(3)),
    columns: (group.get(1) as Map<number, Read>[]).map((chunk) => {
      const data = chunk.get(3) as Map<number, Read>
      const statistics = data.get(12) as Map<number, Read>
      return {
        nulls: Number(statistics.get(3)),
        greatest: statistics.get(5) as Buffer | undefined,
        least: statistics.get(6) as Buffer | undefined,
        encodings: (data.get(2) as bigint[]).map(Number),
      }
    }),
  }))
}

class ThriftReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  struct(): Map<number, Read> {
    const fields = new Map<number, Read>()
    for (let id = 0; ;) {
      const byte = this.#bytes[this.#at++]!
      if (byte === 0) return fields
      id = byte >> 4 ? id + (byte >> 4) : Number(this.#zigzag())
      const kind = byte & 15
      fields.set(id, kind <= 2 ? kind === 1 : this.#value(kind))
    }
  }

  #value(kind: number): Read {
    if (kind === 3) return this.#bytes.readInt8(this.#at++)
    if (kind <= 6) return this.#zigzag()
    if (kind === 8) {
      const size = Number(this.#varint())
      this.#at += size
      return this.#bytes.subarray(this.#at - size, this.#at)
    }
    if (kind === 12) return this.struct()
    if (kind !== 9) throw new Error(`no reader for Thrift's kind ${kind}`)
    const byte = this.#bytes[this.#at++]!
    const count = byte >> 4 === 15 ? Number(this.#varint()) : byte >> 4
    return Array.from({ length: count }, () => this.#value(byte & 15))
  }

  #zigzag(): bigint {
    const value = this.#varint()
    return value & 1n ? -(value + 1n) / 2n : value / 2n
  }

  #varint(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++]!
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
}
