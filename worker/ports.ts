/** Ports for the servers that are started here. */
import { type AddressInfo, createServer, connect as openSocket, type Server } from 'node:net'
import { InputError } from '../connectors/errors.ts'

/** Takes a port; 0 is any free one. Whoever holds it, closes it just before the server takes it. */
export async function hold(ip: string, port = 0): Promise<Server> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const advice = 'Stop what listens there (another `lakeward dev`?), or choose another port.'
      reject(new InputError([{ what: `the port cannot be used: ${error.message}`, where: `${ip}:${port}`, advice }]))
    })
    server.listen({ host: ip, port, exclusive: true }, () => resolve(server))
  })
}

/** A port of the loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = await hold('127.0.0.1')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A free port is only free until somebody takes it: a start that lost it chooses again, three times at most. */
export async function onFreePort<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      const taken = error instanceof Error && /address already in use|port is already/i.test(error.message)
      if (!taken || attempt === 3) throw error
    }
  }
}

/** Throws as long as nothing listens on `host:port`. */
export async function touch(address: string): Promise<void> {
  const at = address.lastIndexOf(':')
  await new Promise<void>((resolve, reject) => {
    const socket = openSocket({ host: address.slice(0, at), port: Number(address.slice(at + 1)) })
    socket.once('error', () => reject(new Error(`nothing listens on ${address} yet`)))
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
  })
}
