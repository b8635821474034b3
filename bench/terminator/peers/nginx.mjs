// nginx as a stream proxy, a worker for each core it may have. Its stream module cannot staple before 1.27, so Debian's
// is measured without.

import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { programVersion } from '../../kit/machine.mjs'

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

export const nginx = {
  name: 'nginx',
  isStapled: false,
  processes: (width) => width + 1,
  version: () => (existsSync(streamModule) ? programVersion('nginx', ['-v'], /nginx\/([\d.]+)/) : undefined),
  program({ width, port, material, directory, backendPort, connections }) {
    const config = path.join(directory, 'nginx.conf')
    const errors = path.join(directory, 'error.log')
    writeFileSync(
      config,
      `load_module ${streamModule};
worker_processes ${width};
daemon off;
pid ${path.join(directory, 'nginx.pid')};
error_log ${errors};
events { worker_connections ${2 * connections + 64}; }
stream {
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${material.chainFile};
    ssl_certificate_key ${material.keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    proxy_pass 127.0.0.1:${backendPort};
  }
}
`,
    )
    return { command: 'nginx', args: ['-c', config, '-p', directory, '-e', errors], port }
  },
}
