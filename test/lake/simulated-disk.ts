/**
 * A disk in memory that loses what was not synced, as badly as a disk may: after a power cut each name that was added
 * or removed since its directory's last sync is there or not, each on its own, and a file that was not synced has lost
 * its content or the end of it. A journaled disk, as all common ones are, keeps both ends of a rename or neither.
 */
import type { FileSystem, OpenFile } from '../../connectors/lake/file/file-system.ts'

interface FileNode {
  kind: 'file'
  content: Buffer
  durable: Buffer
}
interface DirectoryNode {
  kind: 'directory'
  names: Map<string, Node>
  durable: Map<string, Node>
}
type Node = FileNode | DirectoryNode

const directory = (): DirectoryNode => ({ kind: 'directory', names: new Map(), durable: new Map() })

export class SimulatedDisk implements FileSystem {
  #root = directory()
  readonly #journaled: boolean
  #renames: Rename[] = []
  /** Called before each call takes effect, and after; may throw. */
  meet: (call: string, path: string, when: 'before' | 'after') => void = () => {}

  constructor({ journaled = true } = {}) {
    this.#journaled = journaled
  }

  /** What is left after a power cut. `chance`: 0 ≤ number < 1, for each thing that may be there or not. */
  powerCut(chance: () => number): void {
    for (const rename of this.#renames) {
      if (chance() < 0.5) undo(rename)
      else keep(rename)
    }
    this.#renames = []
    const left = (node: Node): Node => {
      if (node.kind === 'file') {
        const { content, durable } = node
        const kept = content === durable ? content : Buffer.concat([durable, content.subarray(durable.length)])
        const cut =
          content === durable ? kept.length : durable.length + Math.floor((kept.length - durable.length) * chance())
        const body = kept.subarray(0, cut)
        return { kind: 'file', content: body, durable: body }
      }
      const names = new Map<string, Node>()
      for (const name of new Set([...node.durable.keys(), ...node.names.keys()])) {
        const [was, is] = [node.durable.get(name), node.names.get(name)]
        const stays = was === is ? is : chance() < 0.5 ? was : is
        if (stays) names.set(name, seen.get(stays) ?? left(stays))
      }
      const after: DirectoryNode = { kind: 'directory', names, durable: new Map(names) }
      return after
    }
    const seen = new Map<Node, Node>()
    this.#root = left(this.#root) as DirectoryNode
  }

  async createFile(path: string): Promise<OpenFile> {
    return this.#call('createFile', path, () => {
      const [parent, name] = this.#parentOf(path)
      if (parent.names.has(name)) throw failure('EEXIST', path)
      const file: FileNode = { kind: 'file', content: Buffer.alloc(0), durable: Buffer.alloc(0) }
      parent.names.set(name, file)
      return {
        write: (chunk) =>
          this.#call('write', path, () => {
            file.content = Buffer.concat([file.content, chunk])
          }),
        sync: () =>
          this.#call('sync', path, () => {
            file.durable = file.content
          }),
        close: () => this.#call('close', path, () => {}),
      }
    })
  }

  async readFile(path: string): Promise<Uint8Array> {
    return this.#call('readFile', path, () => {
      const node = this.#node(path)
      if (node.kind === 'directory') throw failure('EISDIR', path)
      return new Uint8Array(node.content)
    })
  }

  async stat(path: string): Promise<{ bytes: number; isFile: boolean; modifiedMs: number }> {
    return this.#call('stat', path, () => {
      const node = this.#node(path)
      const isFile = node.kind === 'file'
      return { bytes: isFile ? node.content.length : 0, isFile, modifiedMs: Date.now() }
    })
  }

  async readDirectory(path: string): Promise<{ name: string; isDirectory: boolean }[]> {
    return this.#call('readDirectory', path, () => {
      const { names } = this.#directory(path)
      return [...names].map(([name, node]) => ({ name, isDirectory: node.kind === 'directory' }))
    })
  }

  async makeDirectory(path: string): Promise<void> {
    return this.#call('makeDirectory', path, () => {
      const [parent, name] = this.#parentOf(path)
      if (parent.names.has(name)) throw failure('EEXIST', path)
      parent.names.set(name, directory())
    })
  }

  async removeDirectory(path: string): Promise<void> {
    return this.#call('removeDirectory', path, () => {
      if (this.#directory(path).names.size > 0) throw failure('ENOTEMPTY', path)
      const [parent, name] = this.#parentOf(path)
      parent.names.delete(name)
    })
  }

  async link(from: string, to: string): Promise<void> {
    return this.#call('link', to, () => {
      const node = this.#node(from)
      const [parent, name] = this.#parentOf(to)
      if (parent.names.has(name)) throw failure('EEXIST', to)
      parent.names.set(name, node)
    })
  }

  async rename(from: string, to: string): Promise<void> {
    return this.#call('rename', to, () => {
      const node = this.#node(from)
      const [parent, name] = this.#parentOf(to)
      const [source, old] = this.#parentOf(from)
      source.names.delete(old)
      parent.names.set(name, node)
      if (!this.#journaled) return
      // In the journal: durable as one, with the first sync of either side, or undone as one.
      const known = source.durable.has(old)
      if (known) this.#renames.push({ node, source, old, parent, name })
    })
  }

  async unlink(path: string): Promise<void> {
    return this.#call('unlink', path, () => {
      if (this.#node(path).kind === 'directory') throw failure('EISDIR', path)
      const [parent, name] = this.#parentOf(path)
      parent.names.delete(name)
    })
  }

  async syncDirectory(path: string): Promise<void> {
    return this.#call('syncDirectory', path, () => {
      const node = this.#directory(path)
      node.durable = new Map(node.names)
      for (const rename of this.#renames) if (rename.source === node || rename.parent === node) keep(rename)
      this.#renames = this.#renames.filter(({ source, parent }) => source !== node && parent !== node)
    })
  }

  async #call<T>(call: string, path: string, effect: () => T): Promise<T> {
    await Promise.resolve()
    this.meet(call, path, 'before')
    const result = effect()
    this.meet(call, path, 'after')
    return result
  }

  #node(path: string): Node {
    let node: Node = this.#root
    for (const part of path.split('/').filter(Boolean)) {
      if (node.kind !== 'directory') throw failure('ENOTDIR', path)
      const next: Node | undefined = node.names.get(part)
      if (!next) throw failure('ENOENT', path)
      node = next
    }
    return node
  }

  #directory(path: string): DirectoryNode {
    const node = this.#node(path)
    if (node.kind !== 'directory') throw failure('ENOTDIR', path)
    return node
  }

  #parentOf(path: string): [DirectoryNode, string] {
    const slash = path.lastIndexOf('/')
    return [this.#directory(path.slice(0, slash)), path.slice(slash + 1)]
  }
}

interface Rename {
  node: Node
  source: DirectoryNode
  old: string
  parent: DirectoryNode
  name: string
}

function keep({ node, source, old, parent, name }: Rename): void {
  source.durable.delete(old)
  parent.durable.set(name, node)
}

/** Neither end: the names that were added or removed since have no choice of their own. */
function undo({ node, source, old, parent, name }: Rename): void {
  source.names.set(old, node)
  if (parent.names.get(name) === node) parent.names.delete(name)
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
