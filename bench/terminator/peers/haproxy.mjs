// HAProxy in mode tcp, a thread for each core it may have, the staple beside the certificate. Timeouts are longer than
// any part of the bench; `no strict-limits` since it reckons with more files a connection than two.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { programVersion } from '../../kit/machine.mjs'

export const haproxy = {
  name: 'HAProxy',
  isStapled: true,
  processes: () => 1,
  version: () => programVersion('haproxy', ['-v'], /version ([\d.]+)/),
  program({ width, port, material, directory, backendPort, connections }) {
    const config = path.join(directory, 'haproxy.cfg')
    writeFileSync(
      config,
      `global
  nbthread ${width}
  maxconn ${connections}
  no strict-limits
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
frontend tls
  bind 127.0.0.1:${port} ssl crt ${material.directory}/with-staple/server.pem ssl-min-ver TLSv1.2
  default_backend service
backend service
  server one 127.0.0.1:${backendPort}
`,
    )
    return { command: 'haproxy', args: ['-db', '-f', config], port }
  },
}
