/** The TCP connection to one address, and the addresses of a name. */
import { lookup as systemLookup } from 'node:dns'
import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { isStapleError, StapleError } from '../../errors.ts'
import { inTime, type Limits, placeOf } from './limits.ts'
import { turnsAt } from './lookup-turns.ts'

/**
 * Every address of a name, in the resolver's order; an address is its own. A name with more than a hundred is refused:
 * its owner could else send us to thousands of strangers, and keep us waiting for hours.
 *
 * @throws {@link StapleError} `ERR_PROBE_RESOLVE`
 */
export async function resolveAddresses(
  host: string,
  limits: Limits,
  lookup: LookupFunction = systemLookup as LookupFunction,
): Promise<readonly string[]> {
  if (isIP(host)) return [host]
  const ask = () =>
    new Promise<string[]>((resolve, reject) => {
      lookup(host, { all: true }, (error, addresses) => {
        if (error) reject(error)
        else resolve([addresses].flat().map((one) => (typeof one === 'string' ? one : one.address)))
      })
    })
  try {
    const addresses = new Set(await turnsAt(lookup).run(limits, host, ask))
    if (addresses.size > addressesAtMost) throw tooMany(host, addresses.size)
    if (addresses.size > 0) return [...addresses]
  } catch (error) {
    throw isStapleError(error, 'ERR_PROBE_RESOLVE') ? error : unresolved(host, error)
  }
  throw unresolved(host, undefined)
}

/** The largest services answer with some twenty. */
const addressesAtMost = 100

function tooMany(host: string, count: number): StapleError {
  const found = `${count} addresses`
  const expected = `at most ${addressesAtMost}; name some of them, with the name as the server name`
  return new StapleError('ERR_PROBE_RESOLVE', `${host} has ${found}, expected ${expected}`, { host, found, expected })
}

function unresolved(host: string, error: unknown): StapleError {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException
  const found = error instanceof StapleError ? message : (resolverWords[code ?? 'ENODATA'] ?? `${message} (${code})`)
  const text = error instanceof StapleError ? message : `${host}: ${found}`
  return new StapleError(
    'ERR_PROBE_RESOLVE',
    text,
    { host, found, expected: 'an address', networkCode: code },
    { cause: error },
  )
}

const resolverWords: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is not known (ENOTFOUND)',
  ENODATA: 'the name has no address',
  EAI_AGAIN: 'the name server did not answer (EAI_AGAIN)',
}

/**
 * Connects.
 *
 * @throws {@link StapleError} `ERR_PROBE_CONNECT`, `ERR_PROBE_TIMEOUT`
 */
export async function dial(address: string, port: number, limits: Limits): Promise<Socket> {
  const place = placeOf(address, port)
  const socket = connect({ host: address, port, noDelay: true })
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  try {
    await inTime(limits, 'no connection', place, connected)
    return socket
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    throw error instanceof StapleError ? error : unconnected(place, error)
  }
}

function unconnected(place: string, error: unknown): StapleError {
  const { code, message } = error as NodeJS.ErrnoException
  const words = connectWords[code ?? '']
  const found = words === undefined ? message : `${words} (${code})`
  return new StapleError(
    'ERR_PROBE_CONNECT',
    `${place}: ${found}`,
    { place, found, expected: 'a connection', networkCode: code },
    { cause: error },
  )
}

const connectWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'no connection in time',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network from this machine',
  EADDRNOTAVAIL: 'no address of this machine reaches it',
  EACCES: 'this machine forbids the connection',
  EMFILE: 'this process has too many open files',
}
