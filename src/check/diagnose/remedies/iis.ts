/** IIS: http.sys staples by itself, but not for sites that share an address by SNI, unless the registry says so. */
import type { ServerRemedies } from './contract.ts'

const restart = 'net stop http /y && net start w3svc'

export const iis: ServerRemedies = {
  kind: 'iis',
  switchOn: () => ({
    server: 'iis',
    kind: 'registry',
    text: 'IIS staples unless the site shares its address with others by SNI; this switches it on for those, too. The last line, in a command prompt as administrator, restarts http.sys with all its sites.',
    lines: [
      'HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\HTTP\\Parameters',
      'EnableOcspStaplingForSni = 1 (DWORD)',
      restart,
    ],
  }),
  renew: () => ({
    server: 'iis',
    kind: 'commands',
    text: 'Empty the cache of responses of Windows, in a command prompt as administrator, and restart http.sys.',
    lines: ['certutil -urlcache ocsp delete', restart],
  }),
  sendChain: () => ({
    server: 'iis',
    text: 'Import the intermediate into the store "Intermediate Certification Authorities" of the computer, then bind the certificate to the site again.',
  }),
  reachResponder: () => ({
    server: 'iis',
    kind: 'commands',
    text: 'http.sys uses the proxy of WinHTTP, not that of the desktop.',
    lines: ['netsh winhttp set proxy proxy.example.net:3128', restart],
  }),
}
