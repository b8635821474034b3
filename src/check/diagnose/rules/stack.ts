/** What stands beside stapling, only where asked for (`--stack`): TLS 1.3, HSTS, CAA records. */
import type { Evidence } from '../evidence.ts'
import type { Finding, FindingRule, Remedy } from '../finding.ts'

export const stack: FindingRule = {
  codes: {
    'tls13-missing': 'with --stack: TLS 1.3 is not offered',
    'hsts-missing': 'with --stack: a web server sends no Strict-Transport-Security, or one of 0 seconds',
    'caa-missing': 'with --stack: no CAA record says which CAs may issue for the name',
    'stack-complete': 'with --stack: nothing of that is missing',
  },
  find: (evidence) => {
    if (!evidence.stack || !evidence.record.connections.some(({ handshake }) => handshake !== undefined)) return []
    const missing = [tls13(evidence), hsts(evidence), caa(evidence)].flatMap((finding) => finding ?? [])
    return missing.length > 0 ? missing : [complete(evidence)]
  },
}

function tls13({ record }: Evidence): Finding | undefined {
  const versions = new Set(record.connections.flatMap(({ handshake }) => handshake?.version ?? []))
  if (versions.has('TLSv1.3')) return undefined
  return {
    code: 'tls13-missing',
    severity: 'warning',
    title: 'TLS 1.3 is not offered',
    meaning:
      'Its handshake is a round trip shorter, hides the certificate and its staple from onlookers, and always has forward secrecy.',
    evidence: [`spoken: ${[...versions].join(', ')}`],
    remedies: [
      {
        server: 'nginx',
        kind: 'configuration',
        text: 'In the server block.',
        lines: ['ssl_protocols TLSv1.2 TLSv1.3;'],
      },
      {
        server: 'apache',
        kind: 'configuration',
        text: 'In the VirtualHost.',
        lines: ['SSLProtocol -all +TLSv1.2 +TLSv1.3'],
      },
      {
        server: 'haproxy',
        kind: 'configuration',
        text: 'In global.',
        lines: ['ssl-default-bind-options ssl-min-ver TLSv1.2'],
      },
    ],
  }
}

/** Only a web server has headers. */
function hsts({ record }: Evidence): Finding | undefined {
  const { http } = record
  if (http === undefined) return undefined
  const maxAge = Number(/max-age\s*=\s*"?(\d+)/i.exec(http.hsts ?? '')?.[1] ?? 0)
  if (maxAge > 0) return undefined
  return {
    code: 'hsts-missing',
    severity: 'warning',
    title: http.hsts === undefined ? 'no HSTS header' : 'the HSTS header has no max-age, or one of 0',
    meaning:
      'A browser that is given an http:// address goes there in clear first, and whoever stands between can keep it there.',
    evidence: [`Strict-Transport-Security: ${http.hsts ?? 'absent'}`, `HTTP ${http.status}`],
    remedies: [
      header('nginx', 'add_header Strict-Transport-Security "max-age=31536000" always;'),
      header('apache', 'Header always set Strict-Transport-Security "max-age=31536000"'),
      header('haproxy', 'http-response set-header Strict-Transport-Security "max-age=31536000"'),
      header('caddy', 'header Strict-Transport-Security "max-age=31536000"'),
    ],
  }
}

function header(server: NonNullable<Remedy['server']>, line: string): Remedy {
  return { server, kind: 'configuration', text: 'Only once all of the name is served on https.', lines: [line] }
}

function caa({ record }: Evidence): Finding | undefined {
  if (record.caa === undefined || record.caa.failure !== undefined) return undefined
  if (record.caa.records.some(({ tag }) => /^issue(wild)?$/i.test(tag))) return undefined
  const name = record.target.serverName ?? record.target.host
  return {
    code: 'caa-missing',
    severity: 'info',
    title: 'no CAA record says which CAs may issue for the name',
    meaning: 'Any public CA may issue a certificate for it to whoever passes its check of the domain (RFC 8659).',
    evidence: [`${name} and the names above it: no CAA record with issue`],
    remedies: [
      {
        text: 'In the zone, with the name that your CA gives for it.',
        kind: 'configuration',
        lines: [`${name}. IN CAA 0 issue "ca.example.net"`],
      },
    ],
  }
}

function complete({ record }: Evidence): Finding {
  return {
    code: 'stack-complete',
    severity: 'ok',
    title: 'what stands beside stapling is there, too',
    meaning: 'TLS 1.3 is offered, and as far as they apply and could be learned there are HSTS and CAA records.',
    evidence: [
      ...(record.http?.hsts === undefined ? [] : [`Strict-Transport-Security: ${record.http.hsts}`]),
      ...(record.caa?.name === undefined ? [] : [`CAA records at ${record.caa.name}`]),
      ...(record.caa?.failure === undefined ? [] : [`CAA: not learned: ${record.caa.failure}`]),
    ],
    remedies: [],
  }
}
