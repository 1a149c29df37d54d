/** Opens an address in the person's browser, where the platform has a way; nothing depends on it. */
import { spawn } from 'node:child_process'

const openers: Partial<Record<NodeJS.Platform, [command: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
  linux: ['xdg-open'],
}

export function openInBrowser(url: string, platform: NodeJS.Platform = process.platform, env = process.env): void {
  const [command, ...args] = openers[platform] ?? []
  // Without a display xdg-open may start a browser of text in this terminal.
  if (!command || (platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY'])) return
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => {}) // there is none: the address is on the screen
  child.unref()
}
