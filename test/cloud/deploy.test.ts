/**
 * What is in deploy/: files that cannot be tried without a container engine or a cluster are at least spelled as those
 * read them, agree with each other, and with the package they start. With LAKEWARD_THOROUGH=1 the image's own commands
 * are run in a plain shell.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { readInstallation } from '../../connectors/installation.ts'
import { ROOT, textOf } from '../laws/sources.ts'

const { version } = JSON.parse(textOf('package.json')) as { version: string }
const dockerfile = textOf('deploy/Dockerfile')
/** Instructions, continued lines joined. */
const instructions = dockerfile
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line))
  .map((line) => ({ name: line.split(' ', 1)[0]!, rest: line.slice(line.indexOf(' ') + 1).trim() }))
const last = (name: string): string => instructions.findLast((one) => one.name === name)?.rest ?? ''

const installation = await readInstallation(join(ROOT, 'deploy/lakeward.yaml'))
const port = (address: string | undefined): number => Number(address?.split(':').at(-1))
const healthPort = port(installation.worker.health)
const metricsPort = port(installation.worker.metrics?.prometheus)

describe('the image', () => {
  it('runs as nobody special, from a release of this version, with the ports of the installation', () => {
    expect(last('USER')).toBe('node')
    expect(last('ARG')).toBe(`PACKAGE=lakeward-${version}.tgz`)
    expect(last('EXPOSE').split(' ').map(Number)).toEqual([healthPort, metricsPort])
    expect(last('HEALTHCHECK')).toContain(`127.0.0.1:${healthPort}/healthz`)
    expect(last('ENTRYPOINT')).toBe('["node", "/opt/lakeward/node_modules/lakeward/bin/lakeward.js"]')
    expect(existsSync(join(ROOT, 'bin/lakeward.js'))).toBe(true)
    expect(dockerfile).not.toMatch(/(?:SECRET|PASSWORD|API_KEY)=/)
  })
})

// https://github.com/compose-spec/compose-spec/blob/main/spec.md
const service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  depends_on: z.array(z.string()).optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']).optional(),
  stop_grace_period: z.string().optional(),
  environment: z.record(z.string(), z.string().nullable()).optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  deploy: z
    .strictObject({
      replicas: z.int(),
      resources: z.strictObject({ limits: z.strictObject({ memory: z.string() }) }),
    })
    .optional(),
})
const compose = z.strictObject({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) })

it('the Compose file says what Compose reads, with time to drain', () => {
  const { services, volumes } = compose.parse(parse(textOf('deploy/compose.yaml')))
  expect(parseInt(services['worker']!.stop_grace_period!) * 1000).toBeGreaterThan(installation.worker.grace!)
  expect(services['worker']!.image).toBe(`lakeward:${version}`)
  const named = Object.values(services).flatMap((one) => one.volumes ?? [])
  for (const volume of named.filter((one) => !/^[./]/.test(one))) expect(volumes).toHaveProperty(volume.split(':')[0]!)
})

// https://kubernetes.io/docs/reference/kubernetes-api/
const labels = z.record(z.string(), z.string())
const metadata = z.strictObject({ name: z.string(), labels: labels.optional() })
const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.enum(['/healthz', '/readyz']), port: z.string() }),
  periodSeconds: z.int().optional(),
  timeoutSeconds: z.int().optional(),
  failureThreshold: z.int().optional(),
})
const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  envFrom: z.array(z.strictObject({ secretRef: z.strictObject({ name: z.string() }) })),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.int() })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  resources: z.strictObject({ requests: labels, limits: labels }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.array(z.string()) }),
  }),
  volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
})
const pod = z.strictObject({
  serviceAccountName: z.string(),
  terminationGracePeriodSeconds: z.int(),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int(),
    runAsGroup: z.int(),
    fsGroup: z.int(),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
  }),
  containers: z.array(container).length(1),
  volumes: z.array(
    z.strictObject({
      name: z.string(),
      configMap: z.strictObject({ name: z.string() }).optional(),
      emptyDir: z.strictObject({ sizeLimit: z.string() }).optional(),
    }),
  ),
})
const manifest = z.discriminatedUnion('kind', [
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ServiceAccount'),
    metadata,
    automountServiceAccountToken: z.boolean(),
  }),
  z.strictObject({
    apiVersion: z.literal('apps/v1'),
    kind: z.literal('Deployment'),
    metadata,
    spec: z.strictObject({
      replicas: z.int(),
      selector: z.strictObject({ matchLabels: labels }),
      strategy: z.strictObject({ rollingUpdate: z.strictObject({ maxUnavailable: z.int(), maxSurge: z.int() }) }),
      template: z.strictObject({
        metadata: z.strictObject({ labels, annotations: labels }),
        spec: pod,
      }),
    }),
  }),
  z.strictObject({
    apiVersion: z.literal('policy/v1'),
    kind: z.literal('PodDisruptionBudget'),
    metadata,
    spec: z.strictObject({ maxUnavailable: z.int(), selector: z.strictObject({ matchLabels: labels }) }),
  }),
])

it('the Kubernetes manifests say what Kubernetes reads, and agree with the installation', () => {
  const documents = parseAllDocuments(textOf('deploy/kubernetes.yaml')).map((one) => manifest.parse(one.toJS()))
  const deployment = documents.find((one) => one.kind === 'Deployment')!
  const { template, selector } = deployment.spec
  expect(template.metadata.labels).toEqual(selector.matchLabels)
  const [worker] = template.spec.containers
  expect(worker!.image).toBe(`lakeward:${version}`)
  expect(worker!.ports.map(({ containerPort }) => containerPort)).toEqual([healthPort, metricsPort])
  const mounted = template.spec.volumes.map(({ name }) => name)
  expect(worker!.volumeMounts.map(({ name }) => name)).toEqual(mounted)
  expect(template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(installation.worker.grace!)
  expect(new Set(documents.map(({ metadata: { name } }) => name)).size).toBe(1)
})

describe.runIf(process.env['LAKEWARD_THOROUGH'] === '1')('the commands of the image', () => {
  it('install a packed release and make its bundle', () => {
    const home = mkdtempSync(join(tmpdir(), 'lakeward-image-'))
    try {
      execFileSync('npm', ['pack', '--pack-destination', home], { cwd: ROOT, stdio: 'pipe' })
      const own = (text: string): string =>
        text.replaceAll('/opt/lakeward', home).replaceAll('/tmp/lakeward.tgz', join(home, `lakeward-${version}.tgz`))
      const first = instructions.slice(
        0,
        instructions.findLastIndex(({ name }) => name === 'FROM'),
      )
      const env = { ...process.env, LAKEWARD_CACHE: join(home, 'cache') }
      for (const { rest } of first.filter(({ name }) => name === 'RUN')) {
        execFileSync('/bin/sh', ['-c', own(rest)], { cwd: home, env, stdio: 'pipe' })
      }
      expect(readdirSync(join(home, 'cache'))).toEqual([expect.stringMatching(/^workflows-.*\.js$/)])
      const command = join(home, 'node_modules/lakeward/bin/lakeward.js')
      expect(execFileSync(process.execPath, [command, '--version'], { encoding: 'utf8' }).trim()).toBe(version)
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  }, 600_000)
})
