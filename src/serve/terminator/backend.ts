/** Where a site's bytes go: the backend's address, as the configuration writes it. */

export interface BackendAddress {
  /** As written, for messages. */
  readonly url: string
  readonly host: string
  readonly port: number
}

/** Parses `tcp://host:port`. Throws a TypeError that says what was found. */
export function parseBackend(text: string): BackendAddress {
  const match = /^tcp:\/\/(?:\[([^\]]+)\]|([^/:@[\]]+)):(\d{1,5})\/?$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port < 1 || port > 65_535)
    throw new TypeError(`backend: expected tcp://host:port, found ${JSON.stringify(text)}`)
  return { url: text, host: (match[1] ?? match[2]) as string, port }
}
