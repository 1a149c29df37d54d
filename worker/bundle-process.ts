/** Bundles the workflows at one path into a file at another: the process that `workflow-bundle.ts` starts. */
import { writeFileSync } from 'node:fs'
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker'

const [workflowsPath, target] = process.argv.slice(2)
if (!workflowsPath || !target) throw new Error('usage: bundle-process WORKFLOWS TARGET')
const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') })
writeFileSync(target, code)
