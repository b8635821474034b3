/** Debian's nginx with a configuration of a test's own. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type Program, startProgram } from './program.ts'
import { temporaryDirectory } from './temporary.ts'

export interface Nginx {
  readonly program: Program
  /** Where its files are, and relative paths of the configuration begin. */
  readonly directory: string
}

/** Starts one with `blocks` (`http { … }`) and resolves when it takes connections on the port; `modules` loads more. */
export async function startNginx(blocks: string, port: number, modules = ''): Promise<Nginx> {
  const directory = temporaryDirectory('nginx')
  mkdirSync(join(directory, 'temporary'))
  const file = join(directory, 'nginx.conf')
  writeFileSync(
    file,
    `${modules}
daemon off;
master_process off;
pid nginx.pid;
error_log stderr info;
events { worker_connections 200; }
${blocks}
`,
  )
  const program = startProgram('nginx', ['-p', directory, '-c', file, '-e', 'stderr'], { name: 'nginx' })
  await program.waitForPort(port)
  return { program, directory }
}

export interface NginxWithWorkers extends Nginx {
  /** Loads other blocks; resolves when the workers of the old ones are gone. */
  reload(blocks: string): Promise<void>
}

/** Starts one with a master and several workers, each with a cache of staples of its own, as nginx has it. */
export async function startNginxWithWorkers(blocks: string, port: number, workers: number): Promise<NginxWithWorkers> {
  const directory = temporaryDirectory('nginx')
  mkdirSync(join(directory, 'temporary'))
  const file = join(directory, 'nginx.conf')
  const write = (text: string) =>
    writeFileSync(
      file,
      `user ${userInfo().username};
daemon off;
worker_processes ${workers};
pid nginx.pid;
error_log stderr info;
events { worker_connections 200; }
${text}
`,
    )
  write(blocks)
  const program = startProgram('nginx', ['-p', directory, '-c', file, '-e', 'stderr'], { name: 'nginx' })
  await program.waitForPort(port)
  return {
    program,
    directory,
    async reload(text) {
      write(text)
      const seen = program.output().length
      program.kill('SIGHUP')
      await program.waitFor(new RegExp(`(?:worker process \\d+ exited[^]*){${workers}}`), 10_000, seen)
    },
  }
}

/** The lines of an `http` block that keep its temporary files out of the system's directories. */
export const nginxPaths = `access_log off;
client_body_temp_path temporary/body;
proxy_temp_path temporary/proxy;
fastcgi_temp_path temporary/fastcgi;
uwsgi_temp_path temporary/uwsgi;
scgi_temp_path temporary/scgi;`

/** Makes `stream` known. */
export const nginxStream = 'load_module /usr/lib/nginx/modules/ngx_stream_module.so;'
