/** Where a site's bytes go: the backend's address, as the configuration writes it. See backend/ for how it is reached. */

export interface BackendAddress {
  /** As written, for messages. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly isTls: boolean
}

/** Parses `tcp://host:port` or `tls://host:port`. Throws a TypeError that says what was found. */
export function parseBackend(text: string): BackendAddress {
  const match = /^(tcp|tls):\/\/(?:\[([^\]]+)\]|([^/:@[\]]+)):(\d{1,5})\/?$/.exec(text)
  const port = Number(match?.[4])
  if (!match || port < 1 || port > 65_535)
    throw new TypeError(`backend: expected tcp://host:port or tls://host:port, found ${JSON.stringify(text)}`)
  return { url: text, host: (match[2] ?? match[3]) as string, port, isTls: match[1] === 'tls' }
}
