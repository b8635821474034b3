/**
 * The Debian packages that the tests and the benchmarks use: this list is the only one.
 *
 * A package counts as present when everything in `provides` is: a program by its name, a file by its absolute path.
 * So an nginx from elsewhere is as good as Debian's. `npm start` needs none of these.
 */

/** @type {readonly { name: string, provides: readonly string[], jobs: readonly ('test' | 'bench')[], why: string }[]} */
export const debianPackages = [
  {
    name: 'openssl',
    provides: ['openssl'],
    jobs: ['test', 'bench'],
    why: 'makes the certificates and the OCSP responses that ours are compared with; s_client is the first real client',
  },
  { name: 'curl', provides: ['curl'], jobs: ['test'], why: 'curl --cert-status, a client that insists on a staple' },
  {
    name: 'gnutls-bin',
    provides: ['gnutls-cli', 'ocsptool'],
    jobs: ['test'],
    why: 'gnutls-cli enforces Must-Staple; ocsptool reads our requests and responses',
  },
  {
    name: 'nats-server',
    provides: ['nats-server'],
    jobs: ['test', 'bench'],
    why: 'the oracle of the configuration grammar; shares its store with us both ways',
  },
  {
    name: 'firefox-esr',
    provides: ['firefox-esr'],
    jobs: ['test'],
    why: "a browser that enforces Must-Staple: it draws the page with our staple and not without; and check's own page",
  },
  { name: 'libnss3-tools', provides: ['certutil'], jobs: ['test'], why: "puts the test CA into Firefox's profile" },
  {
    name: 'openjdk-17-jdk-headless',
    provides: ['java', 'javac'],
    jobs: ['test'],
    why: 'Java, a client with a revocation check of its own; the compiler too, as its client is a program of ours',
  },
  {
    name: 'nginx-light',
    provides: ['nginx'],
    jobs: ['test', 'bench'],
    why: 'reads our PROXY headers; a server and a TCP front to be measured beside',
  },
  {
    name: 'libnginx-mod-stream',
    provides: ['/usr/lib/nginx/modules/ngx_stream_module.so'],
    jobs: ['test', 'bench'],
    why: 'the TCP front of nginx, which sends PROXY headers and is measured beside',
  },
  {
    name: 'haproxy',
    provides: ['haproxy'],
    jobs: ['test', 'bench'],
    why: 'sends and reads PROXY headers; a TCP front to be measured beside',
  },
  {
    name: 'caddy',
    provides: ['caddy'],
    jobs: ['test', 'bench'],
    why: 'a Go server that fetches its staples, to be checked and to be measured beside',
  },
  {
    name: 'apache2-bin',
    provides: ['apache2', '/usr/lib/apache2/modules/mod_ssl.so'],
    jobs: ['test'],
    why: 'mod_ssl, to be checked with its staples, its errors and its want of a cache',
  },
  {
    name: 'lighttpd-mod-openssl',
    provides: ['lighttpd', '/usr/lib/lighttpd/mod_openssl.so'],
    jobs: ['test'],
    why: 'staples whatever a file holds, to be checked; brings lighttpd itself',
  },
  { name: 'h2o', provides: ['h2o'], jobs: ['test'], why: 'has its staples fetched by a command: ours' },
  { name: 'exim4-daemon-light', provides: ['exim4'], jobs: ['test'], why: 'SMTP that begins in clear, to be probed' },
  {
    name: 'dovecot-imapd',
    provides: ['/usr/lib/dovecot/imap-login'],
    jobs: ['test'],
    why: 'IMAP that begins in clear',
  },
  {
    name: 'dovecot-pop3d',
    provides: ['/usr/lib/dovecot/pop3-login'],
    jobs: ['test'],
    why: 'POP3 that begins in clear',
  },
  { name: 'vsftpd', provides: ['vsftpd'], jobs: ['test'], why: 'FTP that begins in clear' },
  { name: 'slapd', provides: ['slapd'], jobs: ['test'], why: 'LDAP that begins in clear' },
  {
    name: 'postgresql-15',
    provides: ['/usr/lib/postgresql/15/bin/postgres'],
    jobs: ['test'],
    why: 'the PostgreSQL protocol, which begins in clear',
  },
  {
    name: 'mariadb-server-core',
    provides: ['mariadbd'],
    jobs: ['test'],
    why: "MySQL's protocol, which begins in clear",
  },
  { name: 'prosody', provides: ['prosody'], jobs: ['test'], why: 'XMPP, which begins in clear' },
  {
    name: 'libatomic1',
    provides: ['/usr/lib/x86_64-linux-gnu/libatomic.so.1'],
    jobs: ['test', 'bench'],
    why: 'Node 26 of tools/nodes is linked against it, and small systems lack it',
  },
  { name: 'gcc', provides: ['gcc'], jobs: ['bench'], why: "compiles the benchmark's client" },
  { name: 'libc6-dev', provides: ['/usr/include/stdio.h'], jobs: ['bench'], why: "headers for the benchmark's client" },
  {
    name: 'libssl-dev',
    provides: ['/usr/include/openssl/ssl.h'],
    jobs: ['bench'],
    why: "OpenSSL's headers for the benchmark's client",
  },
]
