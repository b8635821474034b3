/**
 * Reads what a ClientHello asks for, without touching the connection: bytes in, value out.
 *
 * It reads just enough to choose a certificate before OpenSSL sees the same bytes, and judges nothing: a message that
 * it cannot read is handed on as it is, so that OpenSSL answers with the proper alert. See peek.ts for the socket.
 */

/** What a client offers, in the numbers of the TLS registries. */
export interface ClientHello {
  /** Lower case, as RFC 6066 has no case in host names. */
  readonly serverName?: string
  /** Whether it asks for a staple (status_request of type ocsp). */
  readonly asksForStatus: boolean
  /** Absent when the extension is: then TLS 1.2 means SHA-1 with either key. */
  readonly signatureAlgorithms?: readonly number[]
  /** How the certificates may be signed; absent when the extension is: then as above. */
  readonly signatureAlgorithmsCert?: readonly number[]
  readonly alpn: readonly string[]
  /** From supported_versions; without that extension the one legacy_version. */
  readonly supportedVersions: readonly number[]
  readonly cipherSuites: readonly number[]
  /** Absent when the extension is. RFC 8422 then leaves the choice to the server; OpenSSL chooses none. */
  readonly supportedGroups?: readonly number[]
  /** Absent when the extension is: then points are uncompressed. */
  readonly pointFormats?: readonly number[]
}

export type ClientHelloReading =
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  /** More must come; nothing new can be known before there are `neededBytes` in all. */
  | { readonly kind: 'incomplete'; readonly neededBytes: number }
  | { readonly kind: 'unreadable'; readonly reason: 'not-tls' | 'not-a-client-hello' | 'too-long' | 'malformed' }

/**
 * The longest ClientHello that is read. Those of browsers with post-quantum key shares have about 1,800 bytes; this leaves
 * room for several such shares and for padding, and 2,048 clients that send as much at once cost 32 MiB.
 */
export const longestClientHelloBytes = 16_384

/**
 * The longest run of records that is waited for: room for the longest ClientHello in 32 of them, and for an ordinary one
 * cut far smaller. Clients send one record; tools against censors cut it into some dozens.
 */
export const longestFlightBytes: number = longestClientHelloBytes + 32 * 5

/** RFC 8446 §5.1: a longer fragment is a record_overflow. */
const longestFragmentBytes = 16_384
const headerBytes = 5

/**
 * Reads the first handshake message of a TLS connection, put together from as many records as it takes.
 *
 * Called again with every segment that arrives, so it walks from header to header and copies nothing until all is there.
 *
 * @param bytes - all that has arrived so far; what follows the ClientHello is not looked at
 * @see RFC 8446 §4.1.2 and §5.1, RFC 5246 §7.4.1.2
 */
export function readClientHello(bytes: Uint8Array): ClientHelloReading {
  let collected = 0
  // Type and length of the message, which may themselves be cut.
  let head = 0
  let headBytes = 0
  for (let offset = 0; ; ) {
    if (bytes.length > offset && bytes[offset] !== handshakeRecord) return offset === 0 ? notTls : malformed
    if (bytes.length > offset + 1 && bytes[offset + 1] !== 3) return offset === 0 ? notTls : malformed
    const begin = offset + headerBytes
    if (bytes.length < begin) return incomplete(begin)
    const length = uint16(bytes, offset + 3)
    // An empty record is against RFC 8446 §5.1, and OpenSSL reads over some of them: so it must be here.
    if (length > longestFragmentBytes) return malformed
    const end = begin + length
    if (end > longestFlightBytes) return tooLong
    for (let at = begin; headBytes < 4 && at < end && at < bytes.length; at++) {
      const octet = bytes[at] as number
      if (headBytes === 0 && octet !== clientHelloMessage) return notAClientHello
      head = head * 256 + octet
      headBytes++
    }
    const messageBytes = 4 + (head & 0xffffff)
    if (headBytes === 4 && messageBytes > longestClientHelloBytes) return tooLong
    if (bytes.length < end) return incomplete(end)
    collected += length
    if (headBytes === 4 && collected >= messageBytes) {
      const message = offset === 0 ? bytes.subarray(begin) : joinFragments(bytes, messageBytes)
      const hello = decodeMessage(message, messageBytes)
      return hello === undefined ? malformed : { kind: 'hello', hello }
    }
    offset = end
  }
}

/** Reads the message's own fields; undefined when a length inside does not fit. */
function decodeMessage(message: Uint8Array, messageBytes: number): ClientHello | undefined {
  const reader = new Reader(message, 4, messageBytes)
  const legacyVersion = reader.uint16()
  reader.skip(32)
  reader.skip(reader.uint8())
  const cipherSuites = reader.vector(reader.uint16()).uint16s()
  reader.skip(reader.uint8())
  const hello: { -readonly [K in keyof ClientHello]: ClientHello[K] } = {
    asksForStatus: false,
    alpn: [],
    supportedVersions: [legacyVersion],
    cipherSuites,
  }
  // Extensions may be absent altogether: RFC 5246 §7.4.1.2.
  const extensions = reader.left > 0 ? reader.vector(reader.uint16()) : undefined
  while (extensions && extensions.left > 0 && !extensions.isBroken) {
    const type = extensions.uint16()
    const body = extensions.vector(extensions.uint16())
    if (type === extensionType.serverName) readServerName(body, hello)
    else if (type === extensionType.statusRequest) hello.asksForStatus = body.uint8() === ocspStatusType
    else if (type === extensionType.supportedGroups) hello.supportedGroups = body.vector(body.uint16()).uint16s()
    // Its own length is not looked at: TLS 1.3 has no use for it, and OpenSSL then does not mind what it says.
    else if (type === extensionType.pointFormats) hello.pointFormats = body.uint8s().slice(1)
    else if (type === extensionType.signatureAlgorithms)
      hello.signatureAlgorithms = body.vector(body.uint16()).uint16s()
    else if (type === extensionType.signatureAlgorithmsCert)
      hello.signatureAlgorithmsCert = body.vector(body.uint16()).uint16s()
    else if (type === extensionType.supportedVersions) hello.supportedVersions = body.vector(body.uint8()).uint16s()
    else if (type === extensionType.alpn) hello.alpn = readProtocols(body.vector(body.uint16()))
    if (body.isBroken) return undefined
  }
  return reader.isBroken || extensions?.isBroken ? undefined : hello
}

/** @see RFC 6066 §3 */
function readServerName(body: Reader, hello: { serverName?: string }): void {
  const list = body.vector(body.uint16())
  while (list.left > 0 && !list.isBroken) {
    const nameType = list.uint8()
    const name = list.vector(list.uint16())
    if (nameType === 0 && name.left > 0) hello.serverName ??= name.text().toLowerCase()
  }
}

/** @see RFC 7301 §3.1 */
function readProtocols(list: Reader): string[] {
  const names: string[] = []
  while (list.left > 0 && !list.isBroken) names.push(list.vector(list.uint8()).text())
  return names
}

/** A cursor that never reads past its end: it breaks instead, and a broken one reads zeros. */
class Reader {
  readonly #bytes: Uint8Array
  readonly #parent: Reader | undefined
  #offset: number
  readonly #end: number
  #isBroken = false

  constructor(bytes: Uint8Array, offset: number, end: number, parent?: Reader) {
    this.#bytes = bytes
    this.#offset = offset
    this.#end = end
    this.#parent = parent
  }

  get left(): number {
    return this.#end - this.#offset
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  /** A vector that breaks breaks what it is part of. */
  set isBroken(isBroken: boolean) {
    this.#isBroken = isBroken
    if (isBroken && this.#parent) this.#parent.isBroken = true
  }

  skip(count: number): number {
    const from = this.#offset
    if (count > this.left) {
      this.isBroken = true
      this.#offset = this.#end
    } else this.#offset += count
    return from
  }

  uint8(): number {
    const from = this.skip(1)
    return this.#isBroken ? 0 : (this.#bytes[from] ?? 0)
  }

  uint16(): number {
    const from = this.skip(2)
    return this.#isBroken ? 0 : uint16(this.#bytes, from)
  }

  vector(length: number): Reader {
    const from = this.skip(length)
    return new Reader(this.#bytes, from, this.#isBroken ? from : from + length, this)
  }

  uint8s(): number[] {
    const values: number[] = []
    while (this.left > 0) values.push(this.uint8())
    return values
  }

  uint16s(): number[] {
    if (this.left % 2 === 1) this.isBroken = true
    const values: number[] = []
    while (this.left > 1) values.push(this.uint16())
    return values
  }

  text(): string {
    const from = this.skip(this.left)
    let text = ''
    for (let index = from; index < this.#end; index++) text += String.fromCharCode(this.#bytes[index] ?? 0)
    return text
  }
}

/** The message without the headers of its records, all of which are there. */
function joinFragments(bytes: Uint8Array, messageBytes: number): Uint8Array {
  const message = new Uint8Array(messageBytes)
  for (let from = 0, to = 0; to < messageBytes; ) {
    const length = uint16(bytes, from + 3)
    from += headerBytes
    message.set(bytes.subarray(from, from + Math.min(length, messageBytes - to)), to)
    from += length
    to += length
  }
  return message
}

function uint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)
}

function incomplete(neededBytes: number): ClientHelloReading {
  return { kind: 'incomplete', neededBytes }
}

const notTls: ClientHelloReading = { kind: 'unreadable', reason: 'not-tls' }
const notAClientHello: ClientHelloReading = { kind: 'unreadable', reason: 'not-a-client-hello' }
const tooLong: ClientHelloReading = { kind: 'unreadable', reason: 'too-long' }
const malformed: ClientHelloReading = { kind: 'unreadable', reason: 'malformed' }

const handshakeRecord = 22
const clientHelloMessage = 1
const ocspStatusType = 1
/** @see the IANA registry of TLS ExtensionType values */
const extensionType = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  alpn: 16,
  supportedVersions: 43,
  signatureAlgorithmsCert: 50,
} as const
