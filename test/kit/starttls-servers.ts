/**
 * Debian's servers of the protocols that begin in clear, each with a certificate and nothing to serve: they are only shaken
 * hands with. nats-server has its own file.
 *
 * Each runs as whoever runs the tests; PostgreSQL refuses root and is given its own user then.
 */
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { type Program, runProgram, startProgram } from './program.ts'
import { temporaryDirectory } from './temporary.ts'

export interface CertificateFiles {
  readonly certificateFile: string
  readonly keyFile: string
}

const { username: name, uid, gid } = userInfo()
const isRoot = uid === 0
/** Who Dovecot's lesser processes belong to. */
const servant = isRoot ? { user: 'nobody', group: 'nogroup' } : { user: name, group: groupName(gid) }

/** SMTP, by Exim. Answers every recipient with no. */
export async function startExim(files: CertificateFiles): Promise<number> {
  const [directory, port] = [temporaryDirectory('exim'), await freePort()]
  mkdirSync(join(directory, 'spool'))
  const file = write(
    directory,
    'exim.conf',
    `primary_hostname = localhost
exim_user = ${name}
exim_group = ${gid}
never_users =
deliver_drop_privilege = true
spool_directory = ${directory}/spool
log_file_path = ${directory}/%slog
pid_file_path = ${directory}/exim.pid
tls_advertise_hosts = *
tls_certificate = ${files.certificateFile}
tls_privatekey = ${files.keyFile}
host_lookup =
rfc1413_hosts =
keep_environment =
`,
  )
  await listening(startProgram('exim4', ['-C', file, '-bdf', '-oX', `127.0.0.1.${port}`]), port)
  return port
}

/** IMAP and POP3, by Dovecot. */
export async function startDovecot(files: CertificateFiles): Promise<{ imap: number; pop3: number }> {
  const directory = temporaryDirectory('dovecot')
  const ports = { imap: await freePort(), pop3: await freePort() }
  chmodSync(directory, 0o755) // its login processes are nobody's
  const services = [
    { service: 'imap-login', name: 'imap', port: ports.imap },
    { service: 'pop3-login', name: 'pop3', port: ports.pop3 },
  ]
  const listeners = services.map(
    ({ service, name, port }) => `service ${service} {
  chroot =
  inet_listener ${name} {
    port = ${port}
  }
  inet_listener ${name}s {
    port = 0
  }
}`,
  )
  const file = write(
    directory,
    'dovecot.conf',
    `base_dir = ${directory}/run
state_dir = ${directory}/run
log_path = /dev/stderr
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <${files.certificateFile}
ssl_key = <${files.keyFile}
default_internal_user = ${servant.user}
default_internal_group = ${servant.group}
default_login_user = ${servant.user}
service anvil {
  chroot =
}
${listeners.join('\n')}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
`,
  )
  const program = startProgram('dovecot', ['-F', '-c', file])
  await listening(program, ports.imap)
  await program.waitForPort(ports.pop3)
  return ports
}

/** FTP, by vsftpd. */
export async function startVsftpd(files: CertificateFiles): Promise<number> {
  const [directory, port] = [temporaryDirectory('vsftpd'), await freePort()]
  mkdirSync(join(directory, 'empty'))
  const file = write(
    directory,
    'vsftpd.conf',
    `listen=YES
listen_address=127.0.0.1
listen_port=${port}
background=NO
run_as_launching_user=YES
secure_chroot_dir=${directory}/empty
seccomp_sandbox=NO
ssl_enable=YES
ssl_ciphers=HIGH
rsa_cert_file=${files.certificateFile}
rsa_private_key_file=${files.keyFile}
`,
  )
  await listening(startProgram('vsftpd', [file]), port)
  return port
}

/** LDAP, by OpenLDAP's slapd, without a directory. */
export async function startSlapd(files: CertificateFiles): Promise<number> {
  const [directory, port] = [temporaryDirectory('slapd'), await freePort()]
  const file = write(
    directory,
    'slapd.conf',
    `TLSCertificateFile ${files.certificateFile}
TLSCertificateKeyFile ${files.keyFile}
pidfile ${directory}/slapd.pid
`,
  )
  await listening(startProgram('slapd', ['-d', '0', '-f', file, '-h', `ldap://127.0.0.1:${port}`]), port)
  return port
}

/** XMPP for clients and for servers, by Prosody; it serves the name `localhost`. */
export async function startProsody(files: CertificateFiles): Promise<{ clients: number; servers: number }> {
  const directory = temporaryDirectory('prosody')
  const ports = { clients: await freePort(), servers: await freePort() }
  const file = write(
    directory,
    'prosody.cfg.lua',
    `run_as_root = true
pidfile = "${directory}/prosody.pid"
data_path = "${directory}"
interfaces = { "127.0.0.1" }
c2s_ports = { ${ports.clients} }
s2s_ports = { ${ports.servers} }
modules_enabled = { "tls", "saslauth", "dialback" }
modules_disabled = { "http", "posix" }
log = { info = "*console" }
VirtualHost "localhost"
  ssl = { certificate = "${files.certificateFile}", key = "${files.keyFile}" }
`,
  )
  const program = startProgram('prosody', ['--config', file, '-F'])
  await listening(program, ports.clients)
  await program.waitForPort(ports.servers)
  return ports
}

/** PostgreSQL, which will not run as root; `hasTls: false` for one that says N. */
export async function startPostgres(files: CertificateFiles, hasTls = true): Promise<number> {
  const [directory, port] = [temporaryDirectory('postgres'), await freePort()]
  const data = join(directory, 'data')
  mkdirSync(data)
  const copies = { certificate: join(directory, 'chain.pem'), key: join(directory, 'key.pem') }
  copyFileSync(files.certificateFile, copies.certificate)
  copyFileSync(files.keyFile, copies.key)
  chmodSync(copies.key, 0o600)
  const user = isRoot ? userOf('postgres') : undefined
  if (user) for (const one of [directory, data, ...Object.values(copies)]) chownSync(one, user.uid, user.gid)
  const as = user ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : ['env']
  const [command = '', ...before] = as
  const program = (name: string) => [...before, `/usr/lib/postgresql/15/bin/${name}`, '-D', data]
  const made = await runProgram(command, [...program('initdb'), '-N', '-A', 'trust', '--no-locale'])
  if (made.code !== 0) throw new Error(made.output)
  const settings = [
    ...['fsync=off', 'listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'shared_buffers=1MB'],
    ...(hasTls ? ['ssl=on', `ssl_cert_file=${copies.certificate}`, `ssl_key_file=${copies.key}`] : []),
  ]
  await listening(startProgram(command, [...program('postgres'), ...settings.flatMap((one) => ['-c', one])]), port)
  return port
}

/** MySQL's protocol, by MariaDB, without a user table. */
export async function startMariadb(files?: CertificateFiles): Promise<number> {
  const [directory, port] = [temporaryDirectory('mariadb'), await freePort()]
  const program = startProgram('mariadbd', [
    '--no-defaults',
    '--user=root',
    '--skip-grant-tables',
    '--skip-networking=0',
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    `--datadir=${directory}`,
    `--socket=${directory}/socket`,
    `--pid-file=${directory}/pid`,
    '--lc-messages-dir=/usr/share/mysql',
    '--innodb-buffer-pool-size=8M',
    '--innodb-log-file-size=4M',
    '--innodb-flush-method=nosync',
    ...(files ? [`--ssl-cert=${files.certificateFile}`, `--ssl-key=${files.keyFile}`] : ['--skip-ssl']),
  ])
  await listening(program, port)
  return port
}

function write(directory: string, name: string, text: string): string {
  const file = join(directory, name)
  writeFileSync(file, text)
  return file
}

async function listening(program: Program, port: number): Promise<void> {
  await program.waitForPort(port)
}

function userOf(name: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8').match(new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm'))
  if (!line) throw new Error(`no user ${name}`)
  return { uid: Number(line[1]), gid: Number(line[2]) }
}

function groupName(gid: number): string {
  const [, name] = readFileSync('/etc/group', 'utf8').match(new RegExp(`^([^:]+):[^:]*:${gid}:`, 'm')) ?? []
  return name ?? String(gid)
}
