/** Apache mod_ssl: asks inside the handshake, keeps an answer for an hour, passes errors on unless told not to. */

import type { ServerRemedies } from './contract.ts'
import { certificateFile } from './places.ts'

const restart = 'Then `apachectl configtest && apachectl restart`.'
const quiet = ['SSLStaplingReturnResponderErrors off', 'SSLStaplingFakeTryLater off']

/** The cache that stapling cannot do without. */
export const cacheLines: readonly string[] = [
  '# outside of every <VirtualHost>',
  'SSLStaplingCache shmcb:/var/run/ssl_stapling(128000)',
]

export const apache: ServerRemedies = {
  kind: 'apache',
  switchOn: () => ({
    server: 'apache',
    kind: 'configuration',
    text: `All of it belongs outside of every <VirtualHost>; the cache must, and needs mod_socache_shmcb (\`a2enmod socache_shmcb\`). With SSLUseStapling on and no cache Apache ends, at a graceful reload too, and configtest does not notice. The chain must stand in SSLCertificateFile, behind the certificate. ${restart}`,
    lines: [...cacheLines, 'SSLUseStapling on', ...quiet, 'SSLStaplingResponderTimeout 5'],
  }),
  everyHandshake: () => ({
    server: 'apache',
    kind: 'configuration',
    text: `mod_md asks some ten seconds after the start instead of inside a handshake, keeps a good response through an outage and over a restart; mod_ssl drops it after an hour. Needs mod_md and mod_watchdog (\`a2enmod md\`). ${restart}`,
    lines: ['MDStapling on'],
  }),
  renew: () => ({
    server: 'apache',
    kind: 'configuration',
    text: `Neither mod_ssl nor mod_md verifies the signature of what it staples. Once the responder answers rightly, a restart empties the cache of mod_ssl; mod_md (\`a2enmod md\`) renews by itself in the last third of a response's life. ${restart}`,
    lines: ['MDStapling on', ...quiet],
  }),
  hideErrors: () => ({
    server: 'apache',
    kind: 'configuration',
    text: `Apache staples the responder's error, or makes one up, whenever it has no answer. With these it staples good answers or nothing. ${restart}`,
    lines: quiet,
  }),
  switchOff: () => ({
    server: 'apache',
    kind: 'configuration',
    text: `Spares the log an error for each such certificate. ${restart}`,
    lines: ['SSLUseStapling off'],
  }),
  sendChain: (facts) => ({
    server: 'apache',
    kind: 'configuration',
    text: `Let the file hold the leaf first, then its intermediates. ${restart}`,
    lines: [`SSLCertificateFile ${certificateFile(facts)}`],
  }),
  reachResponder: () => ({
    server: 'apache',
    kind: 'configuration',
    text: `Through a proxy, and with a short wait, for Apache waits inside the handshake. ${restart}`,
    lines: ['SSLOCSPProxyURL http://proxy.example.net:3128', 'SSLStaplingResponderTimeout 5'],
  }),
}
