/** The chain: incomplete, or one that this machine does not trust, or a certificate for another name. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { isSameName } from '../../../pki/x509/name.ts'
import type { CertificateEvidence, Evidence } from '../evidence.ts'
import type { Finding, FindingRule } from '../finding.ts'
import { remediesFor } from '../remedies.ts'
import { certificateLine, certificateRule, countOf, nameOf } from '../words.ts'

export const chain: FindingRule = certificateRule(
  {
    'chain-incomplete': 'the server does not send the intermediate that issued its certificate',
    'chain-untrusted': 'the chain leads to no root of Node, the system or --ca-file; the staple is judged all the same',
    'name-mismatch': 'the certificate is for other names than the one asked for',
  },
  (seen, evidence) => {
    const names = isForName(seen, evidence) ? [] : [mismatch(seen, evidence)]
    return [...links(seen, evidence), ...names]
  },
)

function links(seen: CertificateEvidence, evidence: Evidence): Finding[] {
  const { code, isTrusted } = seen.trust
  if (isIncomplete(seen)) return [incomplete(seen, evidence)]
  if (isTrusted || code === undefined || code === nameCode) return []
  // certificate-expired and certificate-too-young say it of the leaf.
  const { notBefore, notAfter } = seen.certificate
  const isOutside = evidence.at > notAfter || evidence.at < notBefore
  if (isOutside && (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')) return []
  return [untrusted(seen)]
}

const nameCode = 'ERR_TLS_CERT_ALTNAME_INVALID'

/** Node looks at the name only where the chain is trusted; a chain that is not must not hide it. */
function isForName({ certificate, trust }: CertificateEvidence, { record }: Evidence): boolean {
  if (trust.isTrusted || trust.code === nameCode) return trust.isTrusted
  const { serverName, host } = record.target
  const name = (serverName ?? host).replace(/\.$/, '')
  try {
    const x509 = new X509Certificate(certificate.der)
    return (isIP(name) === 0 ? x509.checkHost(name) : x509.checkIP(name)) !== undefined
  } catch {
    return true // one that OpenSSL cannot read cannot have come through TLS; nothing is said of its names
  }
}

/** Its issuer had to be fetched, or is missing and the leaf came alone. */
function isIncomplete({ certificate, chain: sent, issuerSource, trust }: CertificateEvidence): boolean {
  if (issuerSource === 'fetched') return true
  const isSelfIssued = isSameName(certificate.issuer, certificate.subject)
  return sent.length === 1 && !isSelfIssued && !trust.isTrusted && incompleteCodes.has(trust.code ?? '')
}

const incompleteCodes: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

function incomplete(seen: CertificateEvidence, evidence: Evidence): Finding {
  const { chain: sent, issuer, issuerSource, trust, certificate } = seen
  return {
    code: 'chain-incomplete',
    severity: trust.isTrusted ? 'warning' : 'critical',
    title: 'the server does not send the intermediate that issued its certificate',
    meaning:
      'Programs (curl, Java, Node, Go, OpenSSL) refuse the connection; browsers get by where they have met the intermediate elsewhere or fetch it. Without it no server can verify a staple either.',
    evidence: [
      certificateLine(seen),
      `sent: ${countOf(sent.length, 'certificate')}`,
      issuerSource === 'fetched' && issuer !== undefined
        ? `issuer ${nameOf(issuer)}, fetched from ${certificate.extensions.caIssuersURLs.join(', ')}`
        : 'issuer: not sent; it may be an intermediate, or a root that is not known here',
      ...trustLines(seen),
    ],
    remedies: [
      ...remediesFor('sendChain', evidence, seen),
      { text: 'If the certificate comes straight from the root of your own CA: give that with --ca-file.' },
    ],
  }
}

function untrusted(seen: CertificateEvidence): Finding {
  return {
    code: 'chain-untrusted',
    severity: 'warning',
    title: titleOf(seen.trust.reason ?? seen.trust.code ?? 'UNKNOWN'),
    meaning: `Clients refuse the certificate unless they know its root.${seen.issuerSource === 'sent' && seen.staples.length > 0 ? onlyIf : ''}`,
    evidence: [certificateLine(seen), ...trustLines(seen)],
    remedies: [
      {
        text: 'If it is your own CA, give its root.',
        kind: 'commands',
        lines: ['staplewright check --ca-file root.pem HOST'],
      },
      { text: 'Else have a certificate issued by a CA that the clients know.' },
    ],
  }
}

function titleOf(why: string): string {
  return why.endsWith('trusted here') ? why : `the chain is not trusted here: ${why}`
}

const onlyIf =
  ' The staple was judged by the issuer that the server sent, so the verdict on it holds only if that one is the right one.'

function mismatch(seen: CertificateEvidence, { record }: Evidence): Finding {
  const { dnsNames, ipAddresses } = seen.certificate.extensions
  const { serverName, host } = record.target
  return {
    code: 'name-mismatch',
    severity: 'critical',
    title: `the certificate is not for ${serverName ?? host}`,
    meaning:
      'Every client that asks for this name refuses it. The server may have shown its default certificate because it does not know the name.',
    evidence: [
      certificateLine(seen),
      `names: ${[...dnsNames, ...ipAddresses].slice(0, 20).join(', ') || 'none'}`,
      ...trustLines(seen),
    ],
    remedies: [
      {
        text: 'Serve a certificate for this name, or ask for another with --servername.',
      },
    ],
  }
}

function trustLines({ trust }: CertificateEvidence): string[] {
  return trust.isTrusted ? [] : [`Node: ${trust.code}${trust.reason === undefined ? '' : `: ${trust.reason}`}`]
}
