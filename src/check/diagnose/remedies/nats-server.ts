/** nats-server: staples Must-Staple certificates by itself, others when told; resumes from its store_dir. */

import type { RemedyFacts, ServerRemedies } from './contract.ts'
import { certificateFile, issuerFile } from './places.ts'

export const natsServer: ServerRemedies = {
  kind: 'nats-server',
  switchOn: (facts) => ({
    server: 'nats-server',
    kind: 'configuration',
    text: 'Without Must-Staple in the certificate nats-server staples only in mode always; it then does not start while the responder is away, unless store_dir holds a response. Let ca_file hold the issuer of the certificate alone: with the root in it, too, versions up to 2.9 look at the wrong one and do not start. Restart it.',
    lines: [
      'ocsp { mode: always }',
      'store_dir: "/var/lib/nats"',
      `tls { cert_file: "${certificateFile(facts)}", key_file: "/etc/ssl/${facts.name}/key.pem", ca_file: "${issuerFile(facts)}" }`,
    ],
  }),
  renew: (facts) => ({
    server: 'nats-server',
    kind: 'commands',
    text: 'nats-server resumes from the file in its store_dir: replace it and restart. It does not compare the serial number with its own certificate.',
    lines: [`staplewright fetch ${certificateFile(facts)} --out ${storeFile(facts)}`, 'systemctl restart nats-server'],
  }),
  switchOff: () => ({
    server: 'nats-server',
    kind: 'configuration',
    text: 'Mode always does not start with such a certificate; auto does.',
    lines: ['ocsp { mode: auto }'],
  }),
  sendChain: (facts) => ({
    server: 'nats-server',
    kind: 'configuration',
    text: 'Let cert_file hold the leaf first, then its intermediates.',
    lines: [`tls { cert_file: "${certificateFile(facts)}", key_file: "/etc/ssl/${facts.name}/key.pem" }`],
  }),
  reachResponder: () => ({
    server: 'nats-server',
    kind: 'configuration',
    text: 'Name a responder or cache that is nearer; the proxy of the environment (HTTP_PROXY) is taken, too.',
    lines: ['ocsp { mode: always, url: "http://ocsp.example.net" }'],
  }),
}

function storeFile({ certificateKey }: RemedyFacts): string {
  return `/var/lib/nats/ocsp/${certificateKey}`
}
