/** The key-service port: data keys for what a lake's owner keeps sealed in it. AWS KMS is its one service. */
export interface DataKeys {
  /** The key that seals data keys, for people: an alias or an ARN. */
  readonly name: string
  /**
   * A new AES-256 key in the clear, and itself sealed under the service's key and this context; whoever asks overwrites
   * `key` after use. `id`: the key that sealed it.
   */
  generate(context: Record<string, string>): Promise<{ id: string; key: Uint8Array; sealed: Uint8Array }>
  /** The data key; null: these bytes were not sealed under this context. */
  open(sealed: Uint8Array, context: Record<string, string>): Promise<Uint8Array | null>
}
