/**
 * Every field of the JSON with its meaning. docs/reference/check.md is made from these tables, and what is sent is picked
 * by them: a field becomes a promise only when it is written down here.
 */
import type {
  AnswerReport,
  CertificateReport,
  CheckReport,
  ConnectionReport,
  ErrorReport,
  FindingReport,
  StapleReport,
  TargetReport,
} from './shape.ts'

type Meanings<T> = Readonly<Record<keyof T, string>>

export const reportFields: Meanings<CheckReport> = {
  verdict: 'the worst of all: `ok`, `warning`, `critical` or `unknown` (it could not be learned)',
  because: 'a line for each target that is not ok, the worst first',
  at: 'when the run began',
  elapsedMs: 'how long it took',
  unchecked: 'targets that were not looked at any more, because the run was interrupted',
  targets: 'one object for each target, in the order they were given',
}

export const targetFields: Meanings<TargetReport> = {
  target: 'as it was given; with `-c` the site and its listener',
  host: 'what is connected to',
  port: 'its TCP port',
  serverName: 'the name asked for (SNI), where it is not the host',
  starttls: 'the protocol that it begins in; absent: TLS at once',
  verdict: 'the worst of its findings',
  because: 'the worst finding, or what was seen when all is well',
  at: 'the moment that it was judged at: `--at`, else when it was looked at',
  elapsedMs: 'how long it took',
  server: 'which program it seems to be: `kind`, and the signs it was told by (`because`); absent: none that is known',
  addresses: 'what the name resolved to',
  connections: 'each connection that was made, in order',
  certificates: 'each certificate that was shown, in the order they were first seen',
  findings: 'the worst first',
  notes: 'what cannot be seen from outside, whatever was found',
  error: 'why nothing could be connected to at all',
}

export const connectionFields: Meanings<ConnectionReport> = {
  address: 'the IP address that was connected to',
  number: 'from 1, per address',
  version: 'the one TLS version offered: `TLSv1.2` or `TLSv1.3`',
  keyFamilies: 'the kinds of certificate offered to be used: `rsa`, `ecdsa`',
  serverName: 'SNI; absent: none was sent',
  connectMs: 'TCP and what comes before TLS',
  handshakeMs: 'the TLS handshake',
  cipher: 'as OpenSSL calls it',
  alpn: 'the application protocol that was agreed on',
  certificateKey: 'the certificate it showed',
  isStapled: 'whether a staple came',
  greeting: 'what the server said in clear before TLS, cut to 512 characters',
  error: 'why it failed',
}

export const certificateFields: Meanings<CertificateReport> = {
  certificateKey: "lower-case hex SHA-256 of the certificate's DER",
  subject: 'as text: `CN=localhost,O=Example`',
  names: 'DNS names and addresses that it is for',
  serialNumber: 'lower-case hex',
  issuer: 'as text',
  issuerSource:
    'where the issuer was found: `sent` by the server, `given` (`--ca-file`), `trusted` (a root of this machine) or `fetched`; absent: nowhere',
  notBefore: 'from when on it may be used',
  notAfter: 'when it expires',
  key: 'the kind of its key: `ecdsa P-256`, `rsa 2048`',
  mustStaple: 'it demands a staple (RFC 7633)',
  responderURLs: 'where it says that OCSP is asked',
  isTrusted: "whether its chain and name are trusted, by Node's roots, the system's and `--ca-file`",
  distrust: 'why not',
  connections: 'how many connections showed it',
  stapled: 'on how many of them a staple came',
  staples: 'each distinct staple, in the order they were first seen',
  unasked: 'why the CA was not asked: `asked-not-to`, `chain-unverified`, `no-issuer`, `no-address` or `expired`',
  live: 'what the CA says now, each as below: `ocsp`, `crl`; absent: it was not asked',
  chain: 'base64 DER: the leaf first, then what the server sent besides, as far as it could be linked to it',
}

export const stapleFields: Meanings<StapleReport> = {
  connections: 'how many connections brought it',
  isAccepted: 'it passes every rule; a `revoked` one may',
  certStatus: '`good`, `revoked` or `unknown`',
  thisUpdate: 'when the CA knew it to be so',
  nextUpdate: 'when there will be a newer one, as the responder states it',
  effectiveNextUpdate: 'the same, or what stands for it where the responder states none',
  producedAt: 'when it was signed',
  usableUntil: "the earliest end of all that makes it count, the signer's certificate among it",
  revocationTime: 'since when it is revoked',
  revocationReason: 'as RFC 5280 calls it: `keyCompromise`',
  signer: "`kind` (`issuer`, `delegated`), `name`, and the end of a delegated signer's certificate (`notAfter`)",
  hashAlgorithms: 'of the certIDs that name the certificate',
  refusals: 'each rule that refuses it: `rule`, `clause`, `error`',
  warnings: 'what is odd but accepted: `code`, `message`',
  bytes: 'its size',
  der: 'base64, as it came',
}

export const answerFields: Meanings<AnswerReport> = {
  certStatus: '`good`, `revoked` or `unknown`',
  url: 'the responder or distribution point that answered',
  thisUpdate: 'when the CA knew it to be so',
  nextUpdate: 'when there will be a newer one',
  revocationTime: 'since when it is revoked',
  revocationReason: 'as RFC 5280 calls it',
  elapsedMs: 'how long it took',
  error: 'why no answer came',
}

export const findingFields: Meanings<FindingReport> = {
  code: 'stable: `no-staple`',
  severity: '`critical`, `unknown`, `warning`, `info` or `ok`',
  title: 'what is the case, in one line',
  meaning: 'what that means, and for whom',
  evidence: 'the facts it rests on, one text each',
  remedies:
    'how to mend it: `text`, the `lines` to write or type and their `kind` (`configuration`, `commands`, `registry`), and the `server` they are for (absent: any)',
  certificateKey: 'which certificate it is about',
}

export const errorFields: Meanings<ErrorReport> = {
  code: 'one of [errors](errors.md)',
  message: 'for people; it may change',
  detail: 'what was found and expected, as the code has it',
}
