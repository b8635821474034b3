/** Where on the way to a CA an exchange failed: its name, the connection, a proxy, TLS, or what came as HTTP. */
import type { FetchDetail, StapleError } from '../../errors.ts'

export type Stage = 'DNS' | 'TCP' | 'proxy' | 'TLS' | 'HTTP' | 'policy' | 'earlier requests' | 'answer'

/** `answer`: it came, and was refused for what it says. */
export function stageOf(error: StapleError): Stage {
  if (!error.code.startsWith('ERR_FETCH_')) return 'answer'
  const { networkCode = '', httpStatus, method = '', found } = error.detail as FetchDetail
  const isProxied = /^[A-Z][A-Za-z ]* \S+( \([^)]*\))?( redirected to \S+)? through /.test(error.message)
  switch (error.code) {
    case 'ERR_FETCH_NETWORK':
      if (dnsCodes.has(networkCode)) return isProxied ? 'proxy' : 'DNS'
      if (networkCode.startsWith('HPE_')) return 'HTTP'
      if (isProxied) return 'proxy'
      return /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_|SELF_SIGNED|DEPTH_)/.test(networkCode) ? 'TLS' : 'TCP'
    case 'ERR_FETCH_TIMEOUT':
      if (isProxied) return 'proxy'
      if (/name server/.test(found ?? '')) return 'DNS'
      return /no connection within/.test(error.message) ? 'TCP' : 'HTTP'
    case 'ERR_FETCH_HTTP_STATUS':
      return isProxied && (method.startsWith('CONNECT') || httpStatus === 407 || (httpStatus ?? 0) >= 502)
        ? 'proxy'
        : 'HTTP'
    case 'ERR_FETCH_FORBIDDEN_ADDRESS':
      return 'policy'
    case 'ERR_FETCH_HOST_DOWN':
      return 'earlier requests'
    default:
      return 'HTTP'
  }
}

const dnsCodes: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENODATA',
  'ESERVFAIL',
  'EREFUSED',
  'ETIMEOUT',
])

/** `TCP 80` for http without a port. */
export function stageText(stage: Stage, error: StapleError): string {
  if (stage !== 'TCP') return stage
  const { url = '' } = error.detail as Partial<FetchDetail>
  if (!URL.canParse(url)) return 'TCP'
  const { port, protocol } = new URL(url)
  return `TCP ${port || (protocol === 'https:' ? '443' : '80')}`
}
