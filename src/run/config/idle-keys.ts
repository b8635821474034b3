/**
 * Keys that are known and idle: nats-server's that mean nothing here or would be missed, and those of later versions.
 *
 * nats-server's are those of 2.9 to 2.14. What is idle may still matter: a key without which the service would be more
 * open than its operator thinks is refused, not passed over.
 */
import type { IdleKey } from './type.ts'
import type { Value } from './value.ts'

const noAccounts = 'there are no NATS users here: whoever completes the TLS handshake is passed on to the backend'
const letBackend = 'let the backend ask who connects, or name the key in `danger { ignore: [..] }`'
const notYet = 'this version does not have it yet'

/** Names, separated by spaces; of `name/alias` the second means the same. */
function notices(reason: string, names: string): IdleKey[] {
  return names.split(' ').map((each) => ({ ...named(each), origin: 'nats-server', status: 'notice', reason }))
}

function refused(names: string, reason: string, hint: string): IdleKey[] {
  return names
    .split(' ')
    .map((each) => ({ ...named(each), origin: 'nats-server', status: 'refused', reason, hint, isInert: isOff }))
}

function later(origin: IdleKey['origin'], names: string, hint: string, isInert?: (value: Value) => boolean): IdleKey[] {
  return names.split(' ').map((each) => ({
    ...named(each),
    origin,
    status: 'later',
    reason: notYet,
    hint,
    ...(isInert && { isInert }),
  }))
}

function named(each: string): { name: string; aliases?: readonly string[] } {
  const [name = '', ...aliases] = each.split('/')
  return aliases.length > 0 ? { name, aliases } : { name }
}

/** false, or nothing in it. */
function isOff(value: Value): boolean {
  if (value.kind === 'boolean') return !value.value
  if (value.kind === 'integer') return value.value === 0n
  if (value.kind === 'list') return value.items.length === 0
  return value.kind === 'map' && value.entries.size === 0
}

export const idleTopKeys: readonly IdleKey[] = [
  ...refused('authorization', noAccounts, letBackend),
  ...refused('accounts', noAccounts, letBackend),
  ...refused('operator/operators/roots/root/root_operators/root_operator', noAccounts, letBackend),
  ...refused('trusted_keys/trusted', noAccounts, letBackend),
  ...refused(
    'proxies',
    'no proxy is asked to prove itself here',
    'limit who can reach this port, or name the key in `danger { ignore: [..] }`',
  ),

  ...refused(
    'proxy_protocol',
    'it names no networks: whoever reaches this port could claim any address',
    'name those that your proxies connect from, as in `accept_proxy_protocol: ["10.0.0.0/8"]`',
  ),

  ...later('own', 'publish', 'leave it out: staples are served here and rest in `store_dir`', isOff),
  ...later('own', 'front', 'leave it out', isOff),
  ...later('own', 'responder', 'leave it out; how to ask other responders is said in `responders`', isOff),
  ...later('own', 'fleet', 'leave it out: every machine asks for itself', isOff),

  ...notices('nothing here listens for it', 'https https_port cluster gateway leafnodes/leaf websocket/ws mqtt'),
  ...notices('the HTTP port has no path before it', 'http_base_path'),
  ...notices('`advertise` says what NATS clients are told', 'client_advertise'),
  ...notices(
    "it is the backend's affair: the messages of NATS are passed on as they are",
    [
      'server_name server_tags server_metadata max_control_line max_payload max_pending',
      'max_subscriptions/max_subs max_sub_tokens/max_subscription_tokens ping_interval ping_max write_deadline',
      'no_auth_user no_header_support disable_sublist_cache/no_sublist_cache no_fast_producer_stall mappings/maps',
      'max_traced_msg_len max_closed_clients write_timeout',
    ].join(' '),
  ),
  ...notices(
    'there are no accounts here',
    [
      'resolver/account_resolver/accounts_resolver resolver_tls resolver_preload resolver_pinned_accounts',
      'system_account/system no_system_account/no_system/no_sys_acc default_js_domain default_sentinel',
    ].join(' '),
  ),
  ...notices('here everything that comes in is TLS', 'allow_non_tls'),
  ...notices(
    'the log goes to standard error; `log { level, format }` says what and how',
    [
      'debug trace trace_verbose logtime logtime_utc logfile/log_file logfile_size_limit/log_size_limit',
      'logfile_max_num/log_max_num syslog remote_syslog connect_error_reports reconnect_error_reports',
    ].join(' '),
  ),
  ...notices('there is no such file here', 'pidfile/pid_file ports_file_dir'),
  ...notices('there is no profiling port here', 'prof_port prof_block_rate'),
  ...notices('open connections end when they are done, or after `drain_timeout`', 'lame_duck_grace_period'),
  ...notices('it changes nothing here', 'strict feature_flags'),
]

export const idleTlsKeys: readonly IdleKey[] = [
  ...refused(
    'verify_and_map',
    'there are no NATS users here to map a certificate to',
    '`verify: true` asks for a certificate from the CAs in ca_file; or name the key in `danger { ignore: [..] }`',
  ),
  ...refused(
    'verify_cert_and_check_known_urls',
    "the names in clients' certificates are not compared with those of routes and gateways here",
    'leave it out: `verify: true` asks for a certificate; or name the key in `danger { ignore: [..] }`',
  ),

  ...notices('it is for connections that nats-server opens', 'insecure'),
  ...notices(
    "it opens Windows' certificate store",
    'cert_store cert_match_by cert_match cert_match_skip_invalid ca_certs_match',
  ),
  ...notices('what OpenSSL offers can be named in `cipher_suites`', 'allow_insecure_cipher_suites'),
]
