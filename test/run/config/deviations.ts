/**
 * Where the configuration format here differs from nats-server 2.9's, case by case: tested against the real one by
 * deviations.test.ts, and printed by tools/config-pages.ts as docs/reference/nats-deviations.md.
 */

export interface Deviation {
  /** What is different, as a sentence without its period. */
  readonly title: string
  readonly why: string
  /** Documents that show it; further files by `files`. */
  readonly document: string
  readonly files?: Readonly<Record<string, string>>
  /** Whether each takes it; `reads as` where both do and mean different things. */
  readonly natsServer: 'accepts' | 'refuses' | { readonly reads: string }
  readonly here: 'accepts' | 'refuses' | { readonly reads: unknown }
}

/** The format itself: how a text becomes keys and values. `System` takes any value in nats-server. */
export const grammarDeviations: readonly Deviation[] = [
  {
    title: 'A number may stand before `]`',
    why: 'nats-server takes the bracket into the number and then misses it, unless a space stands between.',
    document: 'System: [1, 2]\n',
    natsServer: 'refuses',
    here: 'accepts',
  },
  {
    title: 'A path may stand in a list without quotes',
    why: 'nats-server takes its first `/` for half a comment.',
    document: 'System: [/etc/one.pem, /etc/two.pem]\n',
    natsServer: 'refuses',
    here: 'accepts',
  },
  {
    title: 'An include may name an absolute path',
    why: 'nats-server looks it up below the directory of the including file.',
    document: 'include "/etc/nats/part.conf"\n',
    natsServer: 'refuses',
    here: 'accepts',
  },
  {
    title: 'A byte order mark before the text is passed over',
    why: 'Editors on Windows write it; nats-server takes it for a part of the first key.',
    document: '\uFEFFSystem: x\n',
    natsServer: 'refuses',
    here: 'accepts',
  },
  {
    title: 'Keys may follow the braces around the file',
    why: 'Newer versions of nats-server accept it too.',
    document: '{\nSystem: x\n}\nSYSTEM: y\n',
    natsServer: 'refuses',
    here: 'accepts',
  },
  {
    title: 'A key without a value is an error, also as the last word of the file',
    why: 'nats-server passes over it (newer versions refuse it): a typing mistake should not be silent.',
    document: 'System: x\nport\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: 'A key may not begin with one of `, ; ] } { /` unless it is quoted',
    why: 'It is what a separator too many looks like; nats-server makes a key of it.',
    document: 'System: x;;\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: 'A single `/` between values is an error',
    why: 'It is half a comment; nats-server drops it.',
    document: 'System: x /\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: 'A number too large for 64 bits is an error, also by its size unit',
    why: 'nats-server lets it wrap around: `8eib` is negative there.',
    document: 'mqtt { max_ack_pending: 8eib }\n',
    natsServer: { reads: '-9223372036854775808' },
    here: 'refuses',
  },
  {
    title: 'A size unit that does not exist is an error',
    why: 'nats-server drops the value and its key with it.',
    document: 'System: 1kbib\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: 'A quote that is opened by the last character of the file is an error',
    why: 'nats-server overlooks it.',
    document: "System: '",
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: 'A block of text that ends with the file does not contain its closing parenthesis',
    why: 'nats-server takes the `)` into the text when no line break follows.',
    document: 'write_deadline: (\nx\n)',
    natsServer: { reads: '\nx\n)' },
    here: { reads: '\nx\n' },
  },
  {
    title: 'Escapes that spell bytes which are not UTF-8 are an error',
    why: 'Texts are text here; nats-server keeps the bytes.',
    document: 'System: "\\xff"\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: 'A NUL byte is an error',
    why: 'nats-server takes it for a line break.',
    document: 'System: x\0SYSTEM: y\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
]

/** What keys mean. The documents are completed with a certificate, its key and a backend. */
export const meaningDeviations: readonly (Omit<Deviation, 'natsServer' | 'here'> & {
  readonly natsServer: 'accepts' | 'refuses'
  readonly here: 'accepts' | 'refuses'
  /** A part of what `loadConfig` says, where it accepts. */
  readonly settings?: Readonly<Record<string, unknown>>
})[] = [
  {
    title: 'A bare `5m` is five minutes where a duration is expected',
    why: 'nats-server reads the number 5,000,000 and, where it takes a number of seconds, two months.',
    document: 'drain_timeout: 5m\n',
    natsServer: 'refuses',
    here: 'accepts',
    settings: { timeouts: { drainTimeoutMs: 300_000 } },
  },
  {
    title: 'Durations may be in days',
    why: '`"10d"` is easier to read than `"240h"`.',
    document: 'max_validity: "10d"\n',
    natsServer: 'refuses',
    here: 'accepts',
    settings: { verify: { maxValidityMs: 864_000_000 } },
  },
  {
    title: '`ocsp { urls }` is a list of URLs',
    why: 'In nats-server no list can be given: any value ends in an error about types.',
    document: 'ocsp { urls: ["http://one.example.net", "http://two.example.net"] }\n',
    natsServer: 'refuses',
    here: 'accepts',
  },
  {
    title: '`ocsp { url }` must be an http:// or https:// URL',
    why: 'nats-server finds out when it asks.',
    document: 'ocsp { url: "ocsp.example.net" }\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: 'The keys in `ocsp` may be written in upper or lower case',
    why: 'All others may, in nats-server too.',
    document: 'ocsp { MODE: must }\n',
    natsServer: 'refuses',
    here: 'accepts',
    settings: { mode: 'must' },
  },
  {
    title: 'Port 0 is any that is free',
    why: 'As everywhere but in nats-server, where it is 4222. `-1` works too.',
    document: 'listen: "127.0.0.1:0"\n',
    natsServer: 'accepts',
    here: 'accepts',
    settings: { listeners: [{ host: '127.0.0.1', port: 0 }] },
  },
  {
    title: '`listen` may be a list',
    why: 'One process can serve several addresses.',
    document: 'listen: ["127.0.0.1:4222", "127.0.0.1:4223"]\n',
    natsServer: 'refuses',
    here: 'accepts',
  },
  {
    title: '`listen` wins over `host` and `port`',
    why: 'In nats-server the one that happens to be looked at last wins. A notice says so here.',
    document: 'listen: "127.0.0.1:4222"\nport: 4223\n',
    natsServer: 'accepts',
    here: 'accepts',
    settings: { listeners: [{ host: '127.0.0.1', port: 4222 }] },
  },
  {
    title: '`lame_duck_duration` may be shorter than 30 seconds',
    why: 'It is another name of `drain_timeout`.',
    document: 'lame_duck_duration: "5s"\n',
    natsServer: 'refuses',
    here: 'accepts',
    settings: { timeouts: { drainTimeoutMs: 5_000 } },
  },
  {
    title: 'A path may not be empty',
    why: 'nats-server takes it for absent.',
    document: 'store_dir: ""\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: '`min_version` may stand without quotes',
    why: 'Its source text is unmistakable. (nats-server has the key since 2.10.)',
    document: 'tls { min_version: 1.3 }\n',
    natsServer: 'refuses',
    here: 'accepts',
  },
  {
    title: '`verify` needs a `ca_file`',
    why: 'nats-server takes whatever CAs the system trusts: then anybody with a public certificate is let in.',
    document: 'tls { verify: true }\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: '`pinned_certs` needs `verify`',
    why: 'nats-server asks for no certificate then, and so lets nobody in.',
    document: `tls { pinned_certs: ["${'0'.repeat(64)}"] }\n`,
    natsServer: 'accepts',
    here: 'refuses',
  },
  {
    title: '`http_port`, and `http` without a host, are on 127.0.0.1',
    why: 'In nats-server they are on every address: what it tells is open to all who can reach it.',
    document: 'http_port: 8222\n',
    natsServer: 'accepts',
    here: 'accepts',
    settings: { admin: { http: { host: '127.0.0.1', port: 8222 } } },
  },
  {
    title: '`http` wins over `http_port`',
    why: 'In nats-server the one that happens to be looked at last wins. A notice says so here.',
    document: 'http: "127.0.0.1:8222"\nhttp_port: 8223\n',
    natsServer: 'accepts',
    here: 'accepts',
    settings: { admin: { http: { host: '127.0.0.1', port: 8222 } } },
  },
  {
    title: '`connection_rate_limit` counts connections as they come in, and closes what is above it without a word',
    why: 'nats-server counts when handshakes begin, and answers that throttling is active: here a flood ends at the door.',
    document: 'tls { connection_rate_limit: 100 }\n',
    natsServer: 'accepts',
    here: 'accepts',
    settings: { limits: { connectionRateLimit: 100 } },
  },
  {
    title: 'Keys that say who may connect are refused',
    why: 'There are no NATS users here; without them the service would be more open than the file says. `danger { ignore: [..] }` makes a notice of it.',
    document: 'authorization { user: a, password: b }\n',
    natsServer: 'accepts',
    here: 'refuses',
  },
]
