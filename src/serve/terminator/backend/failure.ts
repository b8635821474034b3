/** Why a backend did not take a connection, in words for who runs the front. */
import { StapleError } from '../../../errors.ts'

export type BackendError = StapleError<'ERR_TERMINATOR_BACKEND' | `ERR_NATS_${'NO_INFO' | 'PROTOCOL' | 'TLS'}`>

/** Describes what one backend's connection ended with. */
export function describeFailure(url: string, cause: NodeJS.ErrnoException & { reason?: string }): BackendError {
  const { code, reason } = cause
  const said = isNoTls(code) ? (reason ?? reasonOf(cause.message)) : cause.message || code
  const [what, hint] = isOwnLack(code)
    ? [`backend ${url} could not be dialled: this process is out of ${lacks[code]}: ${said}`, ownHints[code]]
    : code !== undefined && code in certificateHints
      ? [`backend ${url} was refused for its certificate: ${said}`, certificateHints[code as CertificateCode]]
      : [`backend ${url} could not be reached: ${said}`, isNoTls(code) ? noTlsHint : undefined]
  return new StapleError(
    'ERR_TERMINATOR_BACKEND',
    hint === undefined ? what : `${what} (${hint})`,
    { backend: url, networkCode: code, ...(hint !== undefined && { hint }) },
    { cause },
  )
}

/** Puts together what several backends failed with, in the order in which they were tried. */
export function describeFailures(url: string, failures: readonly BackendError[]): BackendError {
  const [first] = failures
  if (first !== undefined && failures.length === 1) return first
  return new StapleError(
    'ERR_TERMINATOR_BACKEND',
    `no backend took the connection: ${failures.map(({ message }) => message).join('; ')}`,
    { backend: url, networkCode: first?.detail.networkCode, ...(first?.detail.hint && { hint: first.detail.hint }) },
    { cause: new AggregateError(failures) },
  )
}

/** It says nothing about the backend, and the next one cannot be dialled either. */
export function isOwnLack(code: string | number | undefined): code is OwnCode {
  return code !== undefined && code in lacks
}

function isNoTls(code: string | undefined): boolean {
  return code === 'EPROTO' || code?.startsWith('ERR_SSL_') === true
}

/** OpenSSL's message is a line of numbers and file names, with a line feed; one part of it is words. */
function reasonOf(message: string): string {
  return (/:SSL routines:[^:]*:([^:\n]+)/.exec(message)?.[1] ?? message).trim()
}

type OwnCode = keyof typeof lacks
type CertificateCode = keyof typeof certificateHints

const lacks = {
  EMFILE: 'file descriptors',
  ENFILE: 'file descriptors, as is the whole machine',
  ENOBUFS: 'memory for sockets',
  ENOMEM: 'memory',
} as const

const filesHint = 'raise the limit of open files (LimitNOFILE, ulimit -n): each connection takes two'
const memoryHint = 'lower max_connections, or give the machine more memory'
const ownHints: Record<OwnCode, string> = {
  EMFILE: filesHint,
  ENFILE: filesHint,
  ENOBUFS: memoryHint,
  ENOMEM: memoryHint,
}

const noTlsHint = 'tls:// is for a backend that begins with a TLS handshake; is it one?'
const issuerHint = 'give the CA that issued it as the ca_file of the backend'
const certificateHints = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: issuerHint,
  UNABLE_TO_GET_ISSUER_CERT: issuerHint,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: issuerHint,
  SELF_SIGNED_CERT_IN_CHAIN: issuerHint,
  DEPTH_ZERO_SELF_SIGNED_CERT: issuerHint,
  CERT_SIGNATURE_FAILURE: issuerHint,
  CERT_UNTRUSTED: issuerHint,
  CERT_REJECTED: issuerHint,
  INVALID_CA: issuerHint,
  INVALID_PURPOSE: 'the backend shows a certificate that is not for servers',
  PATH_LENGTH_EXCEEDED: issuerHint,
  CERT_CHAIN_TOO_LONG: issuerHint,
  CERT_HAS_EXPIRED: "renew the backend's certificate",
  CERT_NOT_YET_VALID: 'compare the clocks of this machine and of the CA',
  ERR_TLS_CERT_ALTNAME_INVALID: 'give the name that its certificate has as the server_name of the backend',
} as const
