/** Addresses of orgs: what is taken, what is refused and which one was meant. */
import { describe, expect, it } from 'vitest'
import { audienceOf, isSandbox, isShared, wrongHost } from '../../connectors/salesforce/hosts.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { validate } from '../../connectors/validate.ts'

describe('an address that can log in', () => {
  it.each([
    ['https://login.salesforce.com', { shared: true, sandbox: false }],
    ['https://test.salesforce.com', { shared: true, sandbox: true }],
    ['https://acme.my.salesforce.com', { shared: false, sandbox: false }],
    ['https://acme-co.develop.my.salesforce.com', { shared: false, sandbox: false }],
    ['https://acme--dev.sandbox.my.salesforce.com', { shared: false, sandbox: true }],
    ['https://acme--dev.my.salesforce.com', { shared: false, sandbox: true }],
    ['https://acme--dev.cs12.my.salesforce.com', { shared: false, sandbox: true }],
    ['https://fun-bear-123-dev-ed.scratch.my.salesforce.com', { shared: false, sandbox: true }],
    ['https://acme.my.salesforce.mil', { shared: false, sandbox: false }],
    ['http://127.0.0.1:7000', { shared: false, sandbox: false }],
  ])('%s', (address, { shared, sandbox }) => {
    expect(wrongHost(new URL(address))).toBeUndefined()
    expect([isShared(address), isSandbox(address)]).toEqual([shared, sandbox])
    expect(audienceOf(address)).toBe(sandbox ? 'https://test.salesforce.com' : 'https://login.salesforce.com')
    expect(validate(salesforce.settings, { loginUrl: address }, [])).toMatchObject({ value: { loginUrl: address } })
  })
})

describe('an address of something else', () => {
  it.each([
    ['https://acme.lightning.force.com', 'https://acme.my.salesforce.com'],
    ['https://acme.lightning.force.com/lightning/setup/SetupOneHome/home', 'https://acme.my.salesforce.com'],
    ['https://acme--dev.sandbox.lightning.force.com', 'https://acme--dev.sandbox.my.salesforce.com'],
    ['https://acme.develop.my.salesforce-setup.com', 'https://acme.develop.my.salesforce.com'],
    ['https://acme.salesforce.com', 'https://acme.my.salesforce.com'],
    ['https://acme.my.site.com', 'Setup > My Domain'],
    ['https://acme--c.vf.force.com', 'Setup > My Domain'],
    ['https://na139.salesforce.com', 'Setup > My Domain'],
    ['https://cs12.salesforce.com', 'Setup > My Domain'],
    ['https://www.salesforce.com', 'Setup > My Domain'],
    ['https://salesforce.com', 'Setup > My Domain'],
  ])('%s', (address, meant) => {
    const [problem] = (validate(salesforce.settings, { loginUrl: address }, []) as { found: Found[] }).found
    expect(problem?.what).toContain(new URL(address).hostname)
    expect(problem?.advice).toContain(meant)
    expect(problem?.advice).not.toContain('www.my')
  })
})

describe('client credentials', () => {
  const [kind] = salesforce.auth.filter(({ type }) => type === 'client_credentials')
  it.each(['https://login.salesforce.com', 'https://test.salesforce.com'])('are refused at %s', (loginUrl) => {
    expect(kind?.unfit?.({ loginUrl }, {})).toMatch(/is refused at .*\n.*my\.salesforce\.com/)
  })
  it('work at a My Domain', () => {
    expect(kind?.unfit?.({ loginUrl: 'https://acme.my.salesforce.com' }, {})).toBeUndefined()
  })
})

interface Found {
  what: string
  advice?: string
}
