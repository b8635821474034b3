// nginx, one worker: http with ssl_stapling_file, or a stream proxy. Its stream module cannot staple before
// 1.27, so Debian's is there without a staple only.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { programVersion } from '../../kit/machine.mjs'

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

export const nginx = {
  name: 'nginx',
  version: () => programVersion('nginx', ['-v'], /nginx\/([\d.]+)/),
  isAble: (door, isStapled) => door === 'attach' || (existsSync(streamModule) && !isStapled),
  program({ door, isStapled, port, material, directory, backendPort }) {
    mkdirSync(directory, { recursive: true })
    const tls = `
      ssl_certificate ${material.chainFile};
      ssl_certificate_key ${material.keyFile};
      ssl_protocols TLSv1.2 TLSv1.3;`
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${path.join(directory, name)};`)
      .join(' ')
    const stapling = isStapled ? `ssl_stapling on; ssl_stapling_file ${material.stapleFile};` : ''
    const http = `http {
    access_log off; ${temporary}
    server { listen 127.0.0.1:${port} ssl; ${tls} ${stapling} location / { return 200; } }
}`
    const stream = `stream {
    server { listen 127.0.0.1:${port} ssl; ${tls} proxy_pass 127.0.0.1:${backendPort}; }
}`
    const config = path.join(directory, 'nginx.conf')
    writeFileSync(
      config,
      `${door === 'terminator' ? `load_module ${streamModule};` : ''}
worker_processes 1;
daemon off;
pid ${path.join(directory, 'nginx.pid')};
error_log ${path.join(directory, 'error.log')};
events {}
${door === 'terminator' ? stream : http}
`,
    )
    return { command: 'nginx', args: ['-c', config, '-p', directory, '-e', path.join(directory, 'error.log')], port }
  },
}
