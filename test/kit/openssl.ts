/** The real openssl command, as a function; and how each key type of the tests is asked for. */
import { execFile } from 'node:child_process'

export type AuthorityKeyType = 'rsa2048' | 'rsapss' | 'p256' | 'p384' | 'ed25519'

/** Runs `openssl ARGS` and resolves with its stdout; rejects with its stderr. */
export function openssl(args: readonly string[], input?: Uint8Array | string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'openssl',
      args,
      { encoding: 'buffer', timeout: 20_000, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`openssl ${args.join(' ')}\n${stderr.toString()}${stdout.toString()}`))
        else resolve(stdout)
      },
    )
    child.stdin?.on('error', () => {}) // it may end before it reads
    child.stdin?.end(input ?? '')
  })
}

/** Arguments for `openssl genpkey`. */
export const genpkeyArguments: Readonly<Record<AuthorityKeyType, readonly string[]>> = {
  rsa2048: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  rsapss: ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  ed25519: ['-algorithm', 'ED25519'],
}

/** The digest that suits the key when it signs; Ed25519 brings its own. */
export const digestOf: Readonly<Record<AuthorityKeyType, string | undefined>> = {
  rsa2048: 'sha256',
  rsapss: 'sha256',
  p256: 'sha256',
  p384: 'sha384',
  ed25519: undefined,
}
