/** A person with a browser: opens a login page, enters what it asks for, and goes where it sends them. */

export interface Visit {
  status: number
  text: string
}

/** The address that the login page sends the browser to; null: it shows an error instead. */
export async function logIn(url: string, decision: 'allow' | 'deny' = 'allow'): Promise<string | null> {
  const page = await fetch(url, { redirect: 'manual' })
  // A page that refuses without asking sends back at once.
  if (page.status === 302) return page.headers.get('location')
  if (page.status !== 200 || !(await page.text()).includes('<form')) return null
  const form = new URLSearchParams({ username: 'user0@acme.example', pw: 'a password', decision })
  const answer = await fetch(url, { method: 'POST', body: form, redirect: 'manual' })
  return answer.headers.get('location')
}

export async function visit(address: string): Promise<Visit> {
  const answer = await fetch(address)
  return { status: answer.status, text: await answer.text() }
}

export function codeOf(address: string | null): string {
  return new URL(address ?? '').searchParams.get('code') ?? ''
}
