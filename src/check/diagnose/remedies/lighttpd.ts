/** lighttpd: takes a file that another program writes, and looks at it again shortly before the held one ends. */

import type { ServerRemedies } from './contract.ts'
import { certificateFile, fetchInto, stapleFile } from './places.ts'

export const lighttpd: ServerRemedies = {
  kind: 'lighttpd',
  switchOn: (facts) => ({
    server: 'lighttpd',
    kind: 'configuration',
    text: `lighttpd asks nobody: write the file first, and every few hours after it: \`${fetchInto(facts)}\`. Then \`systemctl restart lighttpd\`.`,
    lines: [`ssl.stapling-file = "${stapleFile(facts)}"`],
  }),
  renew: (facts) => ({
    server: 'lighttpd',
    kind: 'commands',
    text: 'lighttpd reads the file again only in the last four minutes of the response that it holds, and checks no signature in it: after a wrong one, restart.',
    lines: [fetchInto(facts), 'systemctl restart lighttpd'],
  }),
  switchOff: () => ({
    server: 'lighttpd',
    text: 'Remove ssl.stapling-file, if it is there.',
  }),
  sendChain: (facts) => ({
    server: 'lighttpd',
    kind: 'configuration',
    text: 'Let the file hold the leaf first, then its intermediates.',
    lines: [`ssl.pemfile = "${certificateFile(facts)}"`],
  }),
}
