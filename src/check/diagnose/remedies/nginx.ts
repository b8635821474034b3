/** nginx: fetches by itself, lazily and per worker, or takes a file that it reads at start and reload only. */

import type { RemedyFacts, ServerRemedies } from './contract.ts'
import { certificateFile, chainFile, fetchInto, stapleFile } from './places.ts'

const reload = 'nginx -t && nginx -s reload'

export const nginx: ServerRemedies = {
  kind: 'nginx',
  switchOn: (facts) => ({
    server: 'nginx',
    kind: 'configuration',
    text: 'Put these lines into the server block, then `nginx -t && nginx -s reload`. The trusted file holds intermediate and root: without the root ssl_stapling_verify refuses every answer of a delegated signer, and nothing is stapled. Each worker still goes without for its first handshake.',
    lines: [
      'ssl_stapling on;',
      'ssl_stapling_verify on;',
      `ssl_trusted_certificate ${chainFile(facts)};`,
      ...resolverLines(facts),
    ],
  }),
  everyHandshake: (facts) => ({
    server: 'nginx',
    kind: 'configuration',
    text: `nginx asks only after the first handshake of each worker, and forgets at every reload. A staple out of a file is there from the first handshake on. Write the file before the reload and every few hours after it: \`${fetchInto(facts)} && nginx -s reload\`. With an RSA and an ECDSA certificate give each a server block of its own, for nginx staples the one file to both.`,
    lines: ['ssl_stapling on;', `ssl_stapling_file ${stapleFile(facts)};`],
  }),
  renew: (facts) => ({
    server: 'nginx',
    kind: 'commands',
    text: 'nginx reads ssl_stapling_file at start and reload only and checks nothing in it: fetch a new response, then reload, at least twice in its life. Without such a file a restart forgets what is held.',
    lines: [fetchInto(facts), reload],
  }),
  switchOff: () => ({
    server: 'nginx',
    kind: 'configuration',
    text: 'nginx warns at every load while stapling is on for such a certificate.',
    lines: ['ssl_stapling off;'],
  }),
  sendChain: (facts) => ({
    server: 'nginx',
    kind: 'configuration',
    text: 'Let the file hold the leaf first, then its intermediates.',
    lines: [`ssl_certificate ${certificateFile(facts)};`],
  }),
  reachResponder: () => ({
    server: 'nginx',
    kind: 'configuration',
    text: 'nginx looks the name of the responder up through the system when it loads its configuration: where that fails, stapling is off until the next reload, whatever `resolver` says. Later it asks `resolver`, and speaks plain HTTP, never through a proxy. With this line it asks a responder or cache that is nearer instead; without one, give it a file, ssl_stapling_file.',
    lines: ['ssl_stapling_responder http://127.0.0.1:8889/;'],
  }),
}

/** Without it, nginx knows only what the name was when it loaded its configuration. */
function resolverLines({ responderHost }: RemedyFacts): string[] {
  const isAddress = responderHost !== undefined && /^[\d.]+$|:/.test(responderHost)
  return isAddress ? [] : ['resolver 127.0.0.53 valid=300s;', 'resolver_timeout 5s;']
}
