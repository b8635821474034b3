/** Failed handshakes in words: which side refused, what, and OpenSSL's own code, because people search for it. */
import { StapleError } from '../../errors.ts'
import type { StarttlsProtocol } from './record.ts'
import { OpeningError } from './starttls/opening.ts'
import { WireError } from './wire.ts'

/** What is known of a handshake that failed. */
export interface FailedHandshake {
  readonly place: string
  readonly error: unknown
  /** What came first where TLS was expected. */
  readonly firstBytes: Uint8Array
  /** How many bytes came. */
  readonly received: number
  /** The server had shown its certificate before. */
  readonly isShown: boolean
}

export function handshakeFailure(failed: FailedHandshake): StapleError<'ERR_PROBE_HANDSHAKE'> {
  const { place, error, firstBytes } = failed
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  const found = isTls(firstBytes) ? wordsFor(failed) : `the server speaks no TLS: it sent ${nameBytes(firstBytes)}`
  return new StapleError(
    'ERR_PROBE_HANDSHAKE',
    `${place}: ${found}`,
    { place, found, expected: 'a TLS handshake', tlsCode: code },
    error === undefined ? undefined : { cause: error },
  )
}

/** An opening in clear that did not come to TLS. */
export function openingFailure(place: string, protocol: StarttlsProtocol, error: unknown): StapleError {
  const expected = error instanceof OpeningError ? error.expected : 'the go-ahead for TLS'
  const rest = error instanceof WireError && error.unread.length > 0 ? `; it had sent ${nameBytes(error.unread)}` : ''
  const found = `${(error as Error).message}${rest}`
  return new StapleError(
    'ERR_PROBE_STARTTLS',
    `${place}: ${protocol}: ${found}`,
    { place, protocol, found, expected },
    { cause: error },
  )
}

/**
 * The alert that the server sent, as `handshake_failure`; undefined: none.
 *
 * Node's codes for one alert differ with the version of OpenSSL; their ends do not.
 */
export function alertOf(error: unknown): string | undefined {
  const { code = '' } = (error ?? {}) as NodeJS.ErrnoException
  return /^ERR_SSL_.*?(?:ALERT_|TLSV1_(?=UNRECOGNIZED|UNSUPPORTED|BAD_CERT))(.+)$/.exec(code)?.[1]?.toLowerCase()
}

/**
 * Whether the server ended the connection for want of a client certificate: TLS 1.3 has an alert of its own for it, in
 * TLS 1.2 servers send handshake_failure after all else was in order.
 */
export function isForClientCertificate(error: unknown): boolean {
  const alert = alertOf(error)
  return alert !== undefined && clientCertificateAlerts.has(alert)
}

const clientCertificateAlerts: ReadonlySet<string> = new Set([
  'certificate_required',
  'handshake_failure',
  'bad_certificate',
  'no_certificate',
  'access_denied',
])

/** A TLS record begins with its type, 20 to 24, and the version's 3. Nothing at all may still be TLS. */
export function isTls(bytes: Uint8Array): boolean {
  const [type = 22, major = 3] = bytes
  return type >= 20 && type <= 24 && major === 3
}

function nameBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 64)).toString('latin1')
  const line = (text.split(/[\r\n]/, 1)[0] ?? '').slice(0, 48)
  const isText = /^[\x20-\x7e]{3,}$/.test(line)
  if (!isText) return `${Buffer.from(bytes.subarray(0, 16)).toString('hex')} (hex)`
  const protocol = protocols.find(([pattern]) => pattern.test(text))?.[1]
  return protocol ? `${protocol} ("${line}")` : `"${line}"`
}

const protocols: readonly (readonly [RegExp, string])[] = [
  [/^HTTP\/|^<(!doctype|html)/i, 'HTTP'],
  [/^SSH-/, 'SSH'],
  [/^220[ -].*ftp/i, 'FTP; try --starttls ftp'],
  [/^220[ -]/, 'an SMTP or FTP greeting; try --starttls smtp'],
  [/^\* (OK|PREAUTH|BYE)/, 'IMAP; try --starttls imap'],
  [/^\+OK/, 'POP3; try --starttls pop3'],
  [/^INFO \{/, 'NATS; try --starttls nats'],
  [/^<\?xml|^<stream/, 'XMPP; try --starttls xmpp'],
  [/^-ERR/, 'a Redis or POP3 error'],
]

function wordsFor({ error, received, isShown }: FailedHandshake): string {
  const { code, reason, message } = (error ?? {}) as NodeJS.ErrnoException & { reason?: string }
  const evidence = code === undefined ? '' : ` (${code})`
  if (code === undefined || code === 'ECONNRESET' || code === 'EPIPE') {
    const end = code === 'ECONNRESET' && !/disconnected before/.test(message ?? '') ? 'reset' : 'closed'
    return received === 0
      ? `the server ${end} the connection without an answer to the ClientHello${evidence}`
      : `the server ${end} the connection in the handshake, after ${received} bytes${evidence}`
  }
  if (isShown && isForClientCertificate(error)) return `the server wants a client certificate${evidence}`
  const alert = alertOf(error)
  if (alert) return `${alertWords[alert] ?? `the server refused the handshake with the alert ${alert}`}${evidence}`
  const known = words[code]
  return known ? `${known}${evidence}` : `this side refused the handshake: ${reason ?? code}${evidence}`
}

const alertWords: Readonly<Record<string, string>> = {
  protocol_version: 'the server does not speak this version of TLS',
  handshake_failure: 'the server finds nothing in the offer that it can use',
  unrecognized_name: 'the server does not know the name sent as SNI',
  certificate_required: 'the server wants a client certificate',
  no_application_protocol: 'the server knows no protocol that ALPN offered',
}

const words: Readonly<Record<string, string>> = {
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the server answered with another version of TLS than was offered',
  ERR_SSL_WRONG_SSL_VERSION: 'the server answered with another version of TLS than was offered',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server answered with a record of an unknown TLS version',
  ERR_SSL_EXCESSIVE_MESSAGE_SIZE:
    'the server sent a handshake message larger than OpenSSL takes, as a chain over 100 KB or, in TLS 1.2, a staple over 16 KiB',
  ERR_SSL_WRONG_SIGNATURE_TYPE: 'the server answered with another kind of key than was offered',
  ERR_SSL_WRONG_CERTIFICATE_TYPE: 'the server answered with another kind of key than was offered',
  ERR_SSL_UNKNOWN_CERTIFICATE_TYPE: 'the server answered with another kind of key than was offered',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server sent a TLS record longer than allowed',
  ERR_SSL_UNEXPECTED_MESSAGE: 'the server sent a handshake message out of turn',
  ERR_SSL_LENGTH_MISMATCH: 'the server sent a handshake message whose lengths do not agree',
  ERR_SSL_BAD_SIGNATURE: "the server's signature does not fit its certificate",
}
