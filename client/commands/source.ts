/** objects, fields, preview: what a source has, read on this machine with its lakeward.yaml. */
import type { Register } from './call.ts'

export function addSourceCommands(_: Register): void {}
