// HAProxy, one thread: mode http that answers by itself, or mode tcp to the backend; the staple lies beside the
// certificate as server.pem.ocsp.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { programVersion } from '../../kit/machine.mjs'

export const haproxy = {
  name: 'HAProxy',
  version: () => programVersion('haproxy', ['-v'], /version ([\d.]+)/),
  isAble: () => true,
  program({ door, isStapled, port, material, directory, backendPort }) {
    mkdirSync(directory, { recursive: true })
    const certificate = path.join(material.directory, isStapled ? 'with-staple' : 'without-staple', 'server.pem')
    const config = path.join(directory, 'haproxy.cfg')
    const answer =
      door === 'terminator'
        ? `default_backend service\nbackend service\n  server one 127.0.0.1:${backendPort}`
        : 'http-request return status 200'
    writeFileSync(
      config,
      `global
  nbthread 1
defaults
  mode ${door === 'terminator' ? 'tcp' : 'http'}
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend tls
  bind 127.0.0.1:${port} ssl crt ${certificate} ssl-min-ver TLSv1.2
  ${answer}
`,
    )
    return { command: 'haproxy', args: ['-db', '-f', config], port }
  },
}
